"""Lengths of time and sizes, written as in Prometheus' configuration."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

DURATION_PATTERN = (
    r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"
)
SIZE_PATTERN = r"^([0-9]+)(B|KB|MB|GB|KiB|MiB|GiB)$"

_LONGEST = timedelta(days=100 * 365)
_UNITS = (  # in the order of the groups of the pattern
    timedelta(days=365),
    timedelta(weeks=1),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
    timedelta(milliseconds=1),
)
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


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
        int(count or 0) * unit.total_seconds() for count, unit in zip(counts, _UNITS, strict=True)
    )
    if seconds > _LONGEST.total_seconds():
        raise ValueError(msg)
    return timedelta(seconds=seconds)


def parse_size(value: Any) -> int:
    """A number of bytes: `8MiB` (1024²), `8MB` (1000²), `512B`.

    Raises:
        ValueError: it is not one, or it is 0, or it is a terabyte and more.
    """
    match = re.fullmatch(SIZE_PATTERN, value) if isinstance(value, str) else None
    if match is None or len(match[1]) > len("1000000000"):
        msg = "expected a size such as 8MiB, 500KB or 1GiB"
        raise ValueError(msg)
    size = int(match[1]) * _SIZES[match[2]]
    if not 0 < size < 10**12:
        msg = "a size must be at least 1B and less than 1000GB"
        raise ValueError(msg)
    return size
