"""What the wall clock does to the polls of a whole fleet, in virtual time."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditd.audit.authorization import Listing
from auditd.audit.project import Project
from auditd.audit.rhythm import until_beat
from auditd.audit.run import Policy
from auditd.polling.scheduler import Scheduler
from tests.unit.polling.fakes import (
    START,
    FakeCloud,
    WallClock,
    make_authorization,
    make_project,
)
from tests.unit.polling.test_scheduler import Bench

pytestmark = pytest.mark.looptime

INTERVAL_SECONDS = 4.0
NOTICED_SECONDS = 1.5
"""A step is noticed within a second, and ticks come twice a second."""
STEPS = [
    sign * seconds for seconds in (1.5, 3.9, 4.1, 3600.0, 86400.0, 30 * 86400.0) for sign in (1, -1)
]
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Atlantic/Azores", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Casablanca", datetime(2026, 3, 22, 2, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Pacific/Auckland", datetime(2026, 9, 26, 14, tzinfo=UTC)),
]
"""When clocks are put forward or back, in nine zones."""
LEAP_DAYS = [("UTC", datetime(2028, 2, 29, tzinfo=UTC)), ("UTC", datetime(2028, 3, 1, tzinfo=UTC))]


class Chronicle:
    """When each of ten projects was polled, by a clock that nobody sets."""

    def __init__(self, policy: Policy) -> None:
        self.clock = WallClock()
        self.polled_at: dict[str, list[float]] = {f"p{number}": [] for number in range(10)}
        self.bench = Bench(FakeCloud(self._answer), self.clock, policy)

    async def _answer(self, project: Project) -> Listing:
        self.polled_at[project.name].append(self.clock.monotonic())
        return Listing((make_authorization(),))

    def running(self) -> AbstractAsyncContextManager[Scheduler]:
        interval = timedelta(seconds=INTERVAL_SECONDS)
        return self.bench.running(
            [
                make_project(name, poll_interval=interval, poll_timeout=interval / 2)
                for name in self.polled_at
            ]
        )

    def check(self, *, since: float, steps: int) -> None:
        """No project waited for more than two intervals, and none was polled in a burst."""
        until = self.clock.monotonic()
        for instants in self.polled_at.values():
            gaps = [after - before for before, after in pairwise([since, *instants, until])]
            assert max(gaps) <= 2 * INTERVAL_SECONDS + NOTICED_SECONDS
            assert min(gaps[1:-1]) > 0.2
            assert len(instants) <= (until - since) / INTERVAL_SECONDS + steps + 2


@given(steps=st.lists(st.tuples(st.floats(0, 12), st.sampled_from(STEPS)), min_size=1, max_size=6))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # a policy never changes
)
async def test_whatever_steps_the_clock_makes_no_project_is_forgotten_or_flooded(
    policy: Policy, steps: list[tuple[float, float]]
) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(until_beat(loop.time(), 1.0))  # so that ticks and looks coincide
    chronicle = Chronicle(policy)
    since = chronicle.clock.monotonic()
    async with chronicle.running():
        for pause_seconds, step_seconds in steps:
            await asyncio.sleep(2 * INTERVAL_SECONDS + pause_seconds)
            chronicle.clock.step += timedelta(seconds=step_seconds)
        await asyncio.sleep(3 * INTERVAL_SECONDS)
        chronicle.check(since=since, steps=len(steps))


@pytest.mark.parametrize(("zone", "at"), [*CHANGES, *LEAP_DAYS])
async def test_no_zone_and_no_calendar_moves_a_poll(
    policy: Policy, zone: str, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        chronicle = Chronicle(policy)
        since = chronicle.clock.monotonic()
        chronicle.clock.step = at - START - timedelta(seconds=since + 60)
        async with chronicle.running():
            await asyncio.sleep(120)
            chronicle.check(since=since, steps=0)
        assert {len(instants) for instants in chronicle.polled_at.values()} <= {30, 31}
        assert chronicle.bench.skips() == []
        assert chronicle.bench.steps == []
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("zone", "at"), CHANGES)
def test_these_are_the_instants_at_which_clocks_change(zone: str, at: datetime) -> None:
    local = ZoneInfo(zone)
    before = (at - timedelta(seconds=1)).astimezone(local)
    assert before.utcoffset() != at.astimezone(local).utcoffset()
