"""Notices what the wall clock and the event loop do behind a scheduler's back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from auditd.audit.rhythm import until_beat

CHECK_INTERVAL_SECONDS = 1.0
STEP_SECONDS = 1.0
"""Wall time that gains or loses this much on the monotonic clock was stepped.

Slewing by NTP is at most 0.5 ms a second; a suspend looks like a step forward, because the
monotonic clock of Linux stands still meanwhile.
"""


@dataclass(frozen=True, slots=True)
class Elapsed:
    """What passed between two looks. `step_seconds` is 0 unless the wall clock was stepped."""

    seconds: float
    step_seconds: float


class Stopwatch:
    """Compares the wall clock with the monotonic clock from one look to the next."""

    def __init__(self, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._last = (now().timestamp(), monotonic())

    def look(self) -> Elapsed:
        """What passed since the last look."""
        wall, steady = self._now().timestamp(), self._monotonic()
        last_wall, last_steady = self._last
        self._last = (wall, steady)
        drift = (wall - last_wall) - (steady - last_steady)
        return Elapsed(steady - last_steady, drift if abs(drift) >= STEP_SECONDS else 0.0)


class ClockWatch:
    """Wakes at each full second of the monotonic clock and tells what it saw.

    Whatever else wakes by itself does so at full seconds too: one wake-up serves all.

    APScheduler sleeps by the wall clock until its next job, so after a step backwards it would
    sleep through the difference; this watch is what wakes it.
    """

    def __init__(
        self,
        stopwatch: Stopwatch,
        *,
        on_lag: Callable[[float], None],
        on_step: Callable[[float], None],
    ) -> None:
        self._stopwatch = stopwatch
        self._on_lag = on_lag
        self._on_step = on_step

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        self._stopwatch.look()
        while True:
            pause_seconds = until_beat(loop.time(), CHECK_INTERVAL_SECONDS)
            await asyncio.sleep(pause_seconds)
            elapsed = self._stopwatch.look()
            self._on_lag(max(0.0, elapsed.seconds - pause_seconds))
            if elapsed.step_seconds:
                self._on_step(elapsed.step_seconds)
