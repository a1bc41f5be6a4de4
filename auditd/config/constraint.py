"""What single values must be like. A message says what is expected and quotes nothing."""

from __future__ import annotations

import ipaddress
import re
import warnings
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, PlainValidator, WithJsonSchema

from auditd.config.duration import DURATION_PATTERN, SIZE_PATTERN, parse_duration, parse_size
from auditd.config.keeper import beside
from auditd.config.node import Text, kind_of
from auditd.config.scalar import resolve

_NAME = re.compile(r"\w[\w.@:/+-]{0,127}")
_PROJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REGION = re.compile(r"[a-z0-9-]{1,64}")
_LABEL_NAME = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d([Tt ].*)?")


def _expect(pattern: re.Pattern[str], message: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


def resolved(value: Any) -> Any:
    """What a number or text from the environment stands for, where no text is expected."""
    is_resolvable = isinstance(value, Text) and (value.is_number or value.is_expanded)
    return resolve(value) if is_resolvable else value


def at_least(minimum: timedelta, message: str) -> AfterValidator:
    """Refuse shorter durations; exactly `minimum` is accepted."""

    def check(value: timedelta) -> timedelta:
        if value < minimum:
            raise ValueError(message)
        return value

    return AfterValidator(check)


def need_text(value: Any) -> Text:
    """Text that is not empty.

    Raises:
        ValueError: it is empty or something else.
    """
    if not isinstance(value, Text):
        msg = f"expected text, found {kind_of(value)}"
        raise ValueError(msg)  # noqa: TRY004 -- pydantic reports a ValueError at its place
    not_empty(value)
    return value


def not_empty(value: Any) -> Any:
    """Refuse empty text, lists and mappings."""
    if not value:
        msg = "must not be empty"
        raise ValueError(msg)
    return value


def compile_pattern(value: Any) -> re.Pattern[str]:
    """A regular expression.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, str):
        msg = f"expected a regular expression, found {kind_of(value)}"
        raise ValueError(msg)  # noqa: TRY004 -- pydantic reports a ValueError at its place
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


def _file(value: Any) -> Path:
    path = beside(need_text(value))
    try:
        with path.open("rb"):
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
    if not has_host or url.scheme not in {"http", "https"} or re.search(r"\s", value):
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


def _end(value: Any) -> datetime:
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


DURATION = Annotated[
    timedelta,
    PlainValidator(lambda value: parse_duration(resolved(value))),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": 0}]}),
]
SIZE = Annotated[
    int,
    PlainValidator(lambda value: parse_size(resolved(value))),
    WithJsonSchema({"type": "string", "pattern": SIZE_PATTERN}),
]
PATTERN = Annotated[
    Any, PlainValidator(compile_pattern), WithJsonSchema({"type": "string", "format": "regex"})
]
FILE = Annotated[Path, PlainValidator(_file), WithJsonSchema({"type": "string"})]

Name = Annotated[
    str,
    _expect(
        _NAME,
        "a name has 1 to 128 letters, digits and _ . @ : / + -, and begins with a letter or digit",
    ),
]
ProjectId = Annotated[
    str, _expect(_PROJECT_ID, "expected the id of an IAM project: 32 hexadecimal digits")
]
Region = Annotated[str, _expect(_REGION, "expected the id of a region, such as cn-north-4")]
LabelName = Annotated[
    str,
    _expect(
        _LABEL_NAME,
        "a label's name has letters, digits and _, no digit first, and does not begin with __",
    ),
]
NonEmpty = Annotated[str, AfterValidator(not_empty)]
Origin = Annotated[str, AfterValidator(parse_origin)]
End = Annotated[
    datetime, PlainValidator(_end), WithJsonSchema({"type": "string", "format": "date"})
]
"""When something ends, exclusive. A date means the end of that day in UTC."""
