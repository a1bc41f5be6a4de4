"""When to wake for what is done every so often: together, for a wake-up costs more than that."""

from __future__ import annotations

_EARLY_SECONDS = 0.001
"""Timers are rounded, and so are the sums of floats: one may fire just before its time."""


def until_beat(now: float, period: float) -> float:
    """Seconds to the next multiple of `period`; of one that is about to come, to the one after it.

    Args:
        now: seconds, by the event loop's clock.
        period: seconds.
    """
    pause = period - now % period
    return pause if pause > _EARLY_SECONDS else pause + period
