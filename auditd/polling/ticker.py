"""Turns the passing of time into due slots, by one APScheduler job that only submits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

TICK = timedelta(milliseconds=500)
"""How late a poll may be submitted. One wake-up serves all projects that are due."""


class TickSource(Protocol):
    """What a scheduler needs of its ticker."""

    def start(self) -> None:
        """Begin to tick, at once."""

    def close(self) -> None:
        """Stop ticking. What was submitted is not the ticker's to stop."""

    def realign(self) -> None:
        """Tick now: the wall clock, by which the next tick was planned, has been stepped."""


class TickTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires once a tick, and once only for a time in which nothing ran.

    APScheduler's own interval trigger enumerates every missed run before it coalesces them: a
    clock that was stepped a month ahead would block the loop for seconds (apscheduler#526).
    """

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """One tick after `now`, at once for the first time."""
        return now + TICK if previous else now


class Ticker:
    """Calls `tick` every TICK of wall time, on the event loop, until closed."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # The defaults drop a run that is a second late, and a stall is just when it counts.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._job = self._scheduler.add_job(self._run, TickTrigger())

    def start(self) -> None:
        """Begin to tick, at once."""
        self._scheduler.start()

    def close(self) -> None:
        """Stop ticking."""
        self._scheduler.shutdown(wait=False)

    def realign(self) -> None:
        """Tick now and plan anew from here."""
        self._job.modify(next_run_time=datetime.now(UTC))

    async def _run(self) -> None:
        # A coroutine runs on the loop; APScheduler would put a plain function into a thread.
        self._tick()
