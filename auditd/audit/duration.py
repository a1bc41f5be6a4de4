"""How a duration is written for people: as they write it in the configuration."""

from __future__ import annotations

from datetime import timedelta

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
