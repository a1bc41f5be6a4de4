"""What single fields of a request must be like, beside their type. Errors name the field."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from auditd.alerting.matcher import Matcher, parse_matcher
from auditd.web.api_answer import ApiError, ErrorType
from auditd.web.pattern_cost import check_cost

_T = TypeVar("_T")
_PLACE = re.compile(r"(.*) - at `\$\.?(.+)`", re.DOTALL)
_SPACES = str.maketrans("", "", "\n\t\u3000")
"""What lines of text may have although Python does not count it as printable."""


def read_matchers(texts: tuple[str, ...], field: str) -> tuple[Matcher, ...]:
    """The matchers in `field`.

    Raises:
        ApiError: one of them is none.
    """
    return tuple(
        _matcher(check_line(text, f"{field}[{number}]"), f"{field}[{number}]")
        for number, text in enumerate(texts)
    )


def _matcher(text: str, place: str) -> Matcher:
    try:
        matcher = parse_matcher(text)
        check_cost(matcher)
    except ValueError as error:
        raise ApiError(ErrorType.BAD_DATA, f"{place}: {error}") from error
    return matcher


def check_line(text: str, field: str) -> str:
    """One line that says something and can be shown and stored everywhere.

    Raises:
        ApiError: it is blank or has a character that cannot be printed.
    """
    if not text.strip():
        raise ApiError(ErrorType.BAD_DATA, f"{field}: must not be empty")
    if not text.isprintable():
        raise ApiError(ErrorType.BAD_DATA, f"{field}: has characters that cannot be printed")
    return text


def check_lines(text: str, field: str) -> str:
    """Any number of lines that can be shown and stored everywhere; maybe none.

    Raises:
        ApiError: it has a character that cannot be printed.
    """
    if not text.translate(_SPACES).isprintable():
        raise ApiError(ErrorType.BAD_DATA, f"{field}: has characters that cannot be printed")
    return text


def check_instant(instant: datetime, field: str) -> datetime:
    """The same instant in UTC.

    Raises:
        ApiError: UTC has no such instant in the years 1 to 9999.
    """
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ApiError(ErrorType.BAD_DATA, f"{field}: is out of range") from None


def convert(values: object, kind: type[_T]) -> _T:
    """What was read, as `kind`.

    Raises:
        ApiError: it is no such thing.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise bad_field(error) from None


def bad_field(error: msgspec.ValidationError) -> ApiError:
    """The same error, with its field first."""
    match = _PLACE.fullmatch(str(error))
    message = f"{match[2]}: {match[1]}" if match else str(error)
    return ApiError(ErrorType.BAD_DATA, message)
