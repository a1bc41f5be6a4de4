"""What single values must be like. A message says what is expected and quotes nothing."""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from auditd.audit.duration import DURATION_PATTERN, parse_duration
from auditd.audit.expression import LONGEST_EXPRESSION, parse_expression
from auditd.config.duration import SIZE_PATTERN, parse_size
from auditd.config.form import Check, scalar
from auditd.config.node import Node
from auditd.config.regular_file import open_regular

_DATE = re.compile(r"\d{4}-\d\d-\d\d([Tt ].*)?")


def _must(is_fine: Callable[[Any], object], message: str, **json_schema: Any) -> Check[Any]:
    def apply(value: Any) -> Any:
        if not is_fine(value):
            raise ValueError(message)
        return value

    return Check(apply, json_schema)


def _fits(pattern: str, message: str) -> Check[str]:
    return _must(re.compile(pattern).fullmatch, message)


def no_shorter_than(minimum: timedelta, message: str) -> Check[timedelta]:
    """Refuse shorter durations; exactly `minimum` is accepted."""
    return _must(lambda value: value >= minimum, message)


def need_text(node: Node) -> str:
    """Text that is not empty.

    Raises:
        ValueError: it is empty or something else.
    """
    text = node.text()
    NOT_EMPTY.apply(text)
    return text


def compile_pattern(value: str) -> re.Pattern[str]:
    """A regular expression.

    Raises:
        ValueError: it is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "possible nested set" quotes the text
        try:
            return re.compile(value)
        except re.error as error:
            reason, *_ = error.msg.split("'")  # what it quotes is the configured text
            position = (error.pos or 0) + 1
            msg = f"not a regular expression: {reason.strip()} at its character {position}"
        except (OverflowError, RecursionError):
            msg = "this regular expression is too large"
    raise ValueError(msg)


def _file(node: Node) -> Path:
    need_text(node)
    path = node.beside()
    try:
        with open_regular(path):
            return path
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        msg = f"the file {path} cannot be read: {reason}"
    raise ValueError(msg)


def parse_origin(value: str) -> str:
    """An absolute address of http or https, maybe with a path; without slashes at its end.

    Raises:
        ValueError: it is none, or it has user info, a query or a fragment.
    """
    try:
        url = urlsplit(value)
        has_host = bool(url.hostname) and url.port != 0
    except ValueError:
        has_host = False
    if not has_host or url.scheme not in {"http", "https"} or re.search(r"[\s{}]", value):
        msg = "expected an address such as https://host or http://host:8080"
        raise ValueError(msg)
    if "@" in url.netloc or "?" in value or "#" in value:
        msg = "an address must not have user info (user@), a query (?) or a fragment (#)"
        raise ValueError(msg)
    return value.rstrip("/")


def is_plain_and_remote(address: str) -> bool:
    """Whether what is sent to this address crosses a network unencrypted."""
    try:
        url: SplitResult = urlsplit(address)
        host = url.hostname or ""
    except ValueError:
        return False
    if url.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def _end(node: Node) -> datetime:
    value = node.value
    expected = "expected a date such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z"
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(expected)
    try:
        if len(value) == len("2027-01-31"):
            return datetime.combine(date.fromisoformat(value), time(), UTC) + timedelta(days=1)
        instant = datetime.fromisoformat(value)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(expected) from None


NOT_EMPTY = _must(bool, "must not be empty")
AT_LEAST_ONE = _must(lambda number: number >= 1, "must be at least 1", minimum=1)
POSITIVE = _must(lambda number: number > 0, "must be greater than 0", exclusiveMinimum=0)

DURATION = scalar(
    lambda node: parse_duration(node.resolved),
    anyOf=[{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}],
)
SIZE = scalar(lambda node: parse_size(node.resolved), type="string", pattern=SIZE_PATTERN)
PATTERN = scalar(lambda node: compile_pattern(node.text()), type="string", format="regex")
EXPRESSION = scalar(
    lambda node: parse_expression(node.text()), type="string", maxLength=LONGEST_EXPRESSION
)
FILE = scalar(_file, type="string")

Name = Annotated[
    str,
    _fits(
        r"\w[\w.@:/+-]{0,127}",
        "a name has 1 to 128 letters, digits and _ . @ : / + -, and begins with a letter or digit",
    ),
]
ProjectId = Annotated[
    str,
    _fits(r"[A-Za-z0-9_-]{1,64}", "expected the id of an IAM project: 32 hexadecimal digits"),
]
Region = Annotated[
    str, _fits(r"[a-z0-9-]{1,64}", "expected the id of a region, such as cn-north-4")
]
LabelName = Annotated[
    str,
    _fits(
        r"(?!__)[A-Za-z_][A-Za-z0-9_]*",
        "a label's name has letters, digits and _, no digit first, and does not begin with __",
    ),
]
Interval = Annotated[timedelta, no_shorter_than(timedelta(seconds=1), "must be at least 1s")]
PositiveDuration = Annotated[
    timedelta, no_shorter_than(timedelta(milliseconds=1), "must be longer than 0s")
]
NonEmpty = Annotated[str, NOT_EMPTY]
Origin = Annotated[str, Check(parse_origin, {})]
End = Annotated[datetime, scalar(_end, type="string", format="date")]
"""When something ends, exclusive. A date means the end of that day in UTC."""
