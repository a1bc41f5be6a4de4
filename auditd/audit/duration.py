"""How a duration is written, by people in the configuration and for them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

DURATION_PATTERN = (
    r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"
)

_LONGEST = timedelta(days=100 * 365)
_WRITTEN_UNITS = (  # in the order of the groups of the pattern
    timedelta(days=365),
    timedelta(weeks=1),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
    timedelta(milliseconds=1),
)
_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
    ("ms", timedelta(milliseconds=1)),
)


def format_duration(duration: timedelta) -> str:
    """A Prometheus duration, for example `90d`, `1h30m` or `0s`.

    `duration` is not negative. Days are the largest unit, so that a limit reads as it was
    configured (`91d`, not `13w`). What is below a millisecond is dropped.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#duration
    """
    parts = []
    for unit, size in _UNITS:
        count, duration = divmod(duration, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_duration(value: Any) -> timedelta:
    """A Prometheus duration: `90d`, `1h30m`, `0s` or `0`; a year is 365 days.

    Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#duration

    Raises:
        ValueError: it is not one, or it is longer than 100 years.
    """
    if type(value) is int and value == 0:
        return timedelta(0)
    if isinstance(value, int | float) and not isinstance(value, bool):
        msg = "a duration needs a unit: ms, s, m, h, d, w or y, for example 30s"
        raise ValueError(msg)  # noqa: TRY004 -- what is written is no type of ours
    match = re.fullmatch(DURATION_PATTERN, value) if isinstance(value, str) and value else None
    if match is None:
        msg = "expected a duration such as 30s, 5m, 1h30m or 90d (largest unit first, no spaces)"
        raise ValueError(msg)
    return _total(match.groups()[2::2])


def _total(counts: tuple[str | None, ...]) -> timedelta:
    msg = "a duration may be at most 100y"
    if any(count and len(count) > len("3155760000000") for count in counts):
        raise ValueError(msg)
    seconds = sum(
        int(count or 0) * unit.total_seconds()
        for count, unit in zip(counts, _WRITTEN_UNITS, strict=True)
    )
    if seconds > _LONGEST.total_seconds():
        raise ValueError(msg)
    return timedelta(seconds=seconds)
