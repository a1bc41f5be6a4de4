"""Times at which routes keep quiet, written as in Alertmanager.

Source: https://prometheus.io/docs/alerting/latest/configuration/#time_interval
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from auditd.alerting.mute import Range, TimeInterval, TimeOfDay, TimeSpan
from auditd.config.constraint import NOT_EMPTY, Name
from auditd.config.form import TEXT, Check, described, items, scalar
from auditd.config.node import Node
from auditd.config.reading import Form
from auditd.config.record import Record, form_of
from auditd.config.suggestion import did_you_mean

_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")


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
    match = _TIME.fullmatch(node.value) if isinstance(node.value, str) else None
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


def _check_order(times: TimeOfDay) -> TimeOfDay:
    if times.start_time >= times.end_time:
        msg = "start_time must come before end_time; a night is two items"
        raise ValueError(msg)
    return times


def _ranges(scale: _Scale) -> Form[tuple[Range, ...]]:
    return items(scalar(scale.parse, type=["string", "integer"]))


_WEEKDAY = _Scale("a weekday or a range such as monday:friday", 0, 6, _WEEKDAYS)
_MONTH = _Scale("a month or a range such as may:august", 1, 12, _MONTHS)
_DAY = _Scale("a day of the month or a range such as 1:5 or -3:-1", -31, 31, gaps=(0,))
_YEAR = _Scale("a year or a range such as 2027:2029", 1970, 9999)

_CLOCK = scalar(_clock, type="string")
_TIMES: Form[TimeOfDay] = Record(TimeOfDay, forms={"start_time": _CLOCK, "end_time": _CLOCK})
_SPAN: Form[TimeSpan] = Record(
    TimeSpan,
    forms={
        "times": described(items(Check(_check_order, {}).on(_TIMES)), "Times of the day."),
        "weekdays": _ranges(_WEEKDAY),
        "days_of_month": _ranges(_DAY),
        "months": _ranges(_MONTH),
        "years": described(_ranges(_YEAR), "Years, or ranges of them."),
        "location": Check(_zone, {}).on(TEXT),
    },
)
TIME_INTERVAL: Form[TimeInterval] = Record(
    TimeInterval, forms={"name": form_of(Name), "time_intervals": NOT_EMPTY.on(items(_SPAN))}
)
"""One of `alerting.time_intervals`."""
