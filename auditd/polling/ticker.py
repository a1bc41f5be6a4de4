"""Turns the passing of time into due slots, by one APScheduler job that only submits.

While nothing is due it sleeps: each wake-up costs as much as a poll.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

LONGEST_PAUSE = timedelta(seconds=30)
"""There is a tick at least so often, so that the clocks are compared over a short time."""


class TickSource(Protocol):
    """What a scheduler needs of its ticker."""

    def start(self) -> None:
        """Begin to tick, at once."""

    def close(self) -> None:
        """Stop ticking. What was submitted is not the ticker's to stop."""

    def realign(self) -> None:
        """Tick now: the wall clock has been stepped, or something may be due sooner."""


class TickTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires when something is due, a pause apart at least, and once only for a time of no runs.

    APScheduler's own interval trigger enumerates every missed run before it coalesces them: a
    clock that was stepped a month ahead would block the loop for seconds (apscheduler#526).
    """

    def __init__(
        self, next_due: Callable[[], datetime | None], pause: Callable[[], timedelta]
    ) -> None:
        self._next_due = next_due
        self._pause = pause

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """At once for the first time, later from a pause to LONGEST_PAUSE after `now`."""
        if previous is None:
            return now
        latest = now + LONGEST_PAUSE
        return min(max(self._next_due() or latest, now + self._pause()), latest)


class Ticker:
    """Calls `tick` on the event loop when something is due, by the wall clock, until closed.

    Args:
        tick: takes what is due.
        next_due: when that is, as far as it is known; None for nothing.
        pause: between two ticks at least. So late a poll may be submitted; one wake-up serves
            all that came due.
    """

    def __init__(
        self,
        tick: Callable[[], None],
        next_due: Callable[[], datetime | None],
        pause: Callable[[], timedelta],
    ) -> None:
        self._tick = tick
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # The defaults drop a run that is a second late, and a stall is just when it counts.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._job = self._scheduler.add_job(self._run, TickTrigger(next_due, pause))

    def start(self) -> None:
        """Begin to tick, at once."""
        self._scheduler.start()

    def close(self) -> None:
        """Stop ticking."""
        self._scheduler.shutdown(wait=False)

    def realign(self) -> None:
        """Tick now and plan anew from here, unless it is closed."""
        if self._scheduler.running:
            self._job.modify(next_run_time=datetime.now(UTC))

    async def _run(self) -> None:
        # A coroutine runs on the loop; APScheduler would put a plain function into a thread.
        self._tick()
