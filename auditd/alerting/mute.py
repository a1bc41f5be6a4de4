"""Times at which routes keep quiet, or speak.

Everything is read off a wall clock in the interval's time zone. So an hour that a time zone skips
is never in an interval, and one that it repeats is in it twice.

Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from `first` to `last`, both included."""

    first: int
    last: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """From `start_time` up to but not including `end_time`, both since midnight, at most 24 h."""

    start_time: timedelta
    end_time: timedelta

    def contains(self, local: datetime) -> bool:
        """Whether the clock shows a time between the two."""
        shown = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        return self.start_time <= shown < self.end_time


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Times that fit all that is given; what is empty is not looked at."""

    times: tuple[TimeOfDay, ...] = ()
    weekdays: tuple[Range, ...] = ()
    """0 is Sunday."""
    days_of_month: tuple[Range, ...] = ()
    """-1 is the last day of the month. A day that a month does not have is none of its days."""
    months: tuple[Range, ...] = ()
    """1 is January."""
    years: tuple[Range, ...] = ()
    location: str = "UTC"
    """The name of the time zone in the IANA database."""

    def contains(self, at: datetime) -> bool:
        """Whether the aware instant `at` fits.

        Raises:
            zoneinfo.ZoneInfoNotFoundError: there is no such time zone.
        """
        local = at.astimezone(ZoneInfo(self.location))
        _, month_days = monthrange(local.year, local.month)
        days = [_counted_from_start(days, month_days) for days in self.days_of_month]
        return (
            (not self.times or any(time.contains(local) for time in self.times))
            and _fits(self.weekdays, local.isoweekday() % 7)
            and _fits(days, local.day)
            and _fits(self.months, local.month)
            and _fits(self.years, local.year)
        )


@dataclass(frozen=True, slots=True)
class TimeInterval:
    """One of `alerting.time_intervals`: a named set of times."""

    name: str
    time_intervals: tuple[TimeSpan, ...]
    """One that fits is enough."""

    def contains(self, at: datetime) -> bool:
        """Whether the aware instant `at` belongs to it."""
        return any(span.contains(at) for span in self.time_intervals)


def _fits(ranges: Iterable[Range], number: int) -> bool:
    choices = tuple(ranges)
    return not choices or any(number in choice for choice in choices)


def _counted_from_start(days: Range, month_days: int) -> Range:
    first, last = (day if day > 0 else month_days + 1 + day for day in (days.first, days.last))
    return Range(first, last)
