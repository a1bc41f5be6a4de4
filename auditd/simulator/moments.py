"""Times as a scenario writes them: durations such as `5m`, moments such as `-120d`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeAlias

from pydantic import PlainValidator

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_DURATION = re.compile(r"(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_PART = re.compile(r"(\d+)(ms|[dhms])")
_LONGEST = timedelta(days=365 * 100)


def parse_duration(value: object) -> timedelta:
    """Read `1d`, `1h30m`, `250ms`: at most one of each unit, the largest first.

    Raises:
        ValueError: it is anything else, or longer than a hundred years.
    """
    if not isinstance(value, str) or not value or not _DURATION.fullmatch(value):
        msg = "must be a duration such as 90d, 1h30m or 250ms"
        raise ValueError(msg)
    try:
        total = sum((int(n) * _UNITS[unit] for n, unit in _PART.findall(value)), timedelta())
    except OverflowError:
        total = timedelta.max
    if total > _LONGEST:
        msg = "must be at most 36500d"
        raise ValueError(msg)
    return total


def parse_moment(value: object) -> timedelta | datetime | int | None:
    """Read `-120d`, `+5s`, `now`, an ISO 8601 instant with its offset, milliseconds, or null.

    What has been read already is returned as it is.

    Raises:
        ValueError: it is anything else.
    """
    if value is None or isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value == "now":
            return timedelta()
        if value[:1] in {"-", "+"}:
            offset = parse_duration(value[1:])
            return -offset if value[0] == "-" else offset
        value = _parse_instant(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        msg = "must be now, an offset such as -120d, an ISO 8601 instant with offset, or null"
        raise ValueError(msg)
    return value


def _parse_instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def to_instant(moment: timedelta | datetime | int | None, zero: datetime) -> datetime | None:
    """The aware UTC instant, with offsets counted from `zero`."""
    match moment:
        case timedelta():
            return zero + moment
        case datetime():
            return moment.astimezone(UTC)
        case int():
            return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=moment)
        case None:
            return None


def to_milliseconds(moment: timedelta | datetime | int | None, zero: datetime) -> int | None:
    """Milliseconds since the epoch as the API sends them; a bare number is sent as it is."""
    if isinstance(moment, int):
        return moment
    instant = to_instant(moment, zero)
    return None if instant is None else round(instant.timestamp() * 1000)


def to_vendor_text(instant: datetime) -> str:
    """`2026-01-15T08:30:00.000000Z`: UTC and six digits, as IAM writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


Duration: TypeAlias = Annotated[timedelta, PlainValidator(parse_duration)]
"""A length of time, zero or more."""

Moment: TypeAlias = Annotated[timedelta | datetime | int | None, PlainValidator(parse_moment)]
"""An offset from the start of the scenario, an aware instant, raw milliseconds, or null."""
