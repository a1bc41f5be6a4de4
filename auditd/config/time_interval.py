"""Times at which routes keep quiet, written as in Alertmanager.

Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from auditd.config.constraint import NOT_EMPTY, Name
from auditd.config.form import Check, scalar
from auditd.config.node import Node
from auditd.config.suggestion import did_you_mean

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the numbers of a range count."""

    example: str
    lowest: int
    highest: int
    names: Sequence[str] = ()
    """The first name stands for `lowest`."""
    gaps: Sequence[int] = ()

    def parse(self, node: Node) -> Range:
        """Raises ValueError when the node is no number or range of this scale."""
        first, _, last = str(node.value).partition(":")
        found = Range(self._number(first), self._number(last or first))
        if found.first > found.last and (found.first < 0) == (found.last < 0):
            msg = "a range must not end before it begins"
            raise ValueError(msg)
        return found

    def _number(self, text: str) -> int:
        if text.casefold() in self.names:
            return self.names.index(text.casefold()) + self.lowest
        number = int(text) if re.fullmatch(r"-?\d{1,4}", text) else None
        if number is None or not self.lowest <= number <= self.highest or number in self.gaps:
            msg = f"expected {self.example}{did_you_mean(text, self.names)}"
            raise ValueError(msg)
        return number


def _clock(node: Node) -> timedelta:
    match = _CLOCK.fullmatch(node.value) if isinstance(node.value, str) else None
    if match is None:
        msg = "expected a time of day in quotes, from '00:00' to '24:00'"
        raise ValueError(msg)
    hours, minutes = (int(match[1]), int(match[2])) if match[1] else (24, 0)
    return timedelta(hours=hours, minutes=minutes)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = "expected a time zone such as UTC or Asia/Shanghai"
        raise ValueError(msg) from None
    return name


_SCHEMA = {"type": ["string", "integer"]}
_WEEKDAY = _Scale("a weekday or a range such as monday:friday", 0, 6, _WEEKDAYS)
_MONTH = _Scale("a month or a range such as may:august", 1, 12, _MONTHS)
_DAY = _Scale("a day of the month or a range such as 1:5 or -3:-1", -31, 31, gaps=(0,))
_YEAR = _Scale("a year or a range such as 2027:2029", 1970, 9999)

Weekdays = Annotated[Range, scalar(_WEEKDAY.parse, **_SCHEMA)]
Months = Annotated[Range, scalar(_MONTH.parse, **_SCHEMA)]
Days = Annotated[Range, scalar(_DAY.parse, **_SCHEMA)]
Years = Annotated[Range, scalar(_YEAR.parse, **_SCHEMA)]
Clock = Annotated[timedelta, scalar(_clock, type="string")]


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """From `start_time` up to but not including `end_time`, both since midnight."""

    start_time: Clock
    end_time: Clock

    def __post_init__(self) -> None:
        if self.start_time >= self.end_time:
            msg = "start_time must come before end_time; a night is two items"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Times that fit all that is given."""

    times: tuple[TimeOfDay, ...] = ()
    """Times of the day."""
    weekdays: tuple[Weekdays, ...] = ()
    """Days of the week, or ranges of them: 0 is Sunday."""
    days_of_month: tuple[Days, ...] = ()
    """Days of the month, or ranges of them: -1 is the last."""
    months: tuple[Months, ...] = ()
    """Months, or ranges of them: 1 is January."""
    years: tuple[Years, ...] = ()
    """Years, or ranges of them."""
    location: Annotated[str, Check(_zone, {})] = "UTC"
    """The time zone."""


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """One of `alerting.time_intervals`: a named set of times."""

    name: Name
    """What routes refer to."""
    time_intervals: Annotated[tuple[TimeSpan, ...], NOT_EMPTY]
    """Times that belong to it; one that fits is enough."""
