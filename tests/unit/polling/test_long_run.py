"""A fleet that fails, recovers and changes for hours, in virtual time: nothing is left of them.

AUDITD_SOAK_HOURS says how many, a quarter of one by default.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest

from auditd.audit.authorization import Listing, Status
from auditd.audit.events import Event
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.polling.freshness import Freshness
from auditd.telemetry.event_log import EventLog
from auditd.telemetry.log import open_log
from auditd.telemetry.metrics import Metrics
from auditd.telemetry.redactor import Redactor
from tests.unit.polling.fakes import FakeCloud, FakeProjects, WallClock, make_authorization
from tests.unit.polling.fakes import make_project as project_of
from tests.unit.polling.test_scheduler import Bench

HOURS = float(os.environ.get("AUDITD_SOAK_HOURS", "0.25"))
pytestmark = [pytest.mark.looptime, pytest.mark.timeout(60 * HOURS + 60)]

INTERVAL = timedelta(seconds=30)
GROWTH_BYTES = 64 * 1024
"""Between two looks. In a quarter of an hour 90 bytes a poll would be more, in a day one."""


class Nowhere(StringIO):
    """A log that is not kept."""

    def write(self, text: str) -> int:
        return len(text)


def make_project(name: str) -> Project:
    return project_of(name, poll_interval=INTERVAL)


class Unrest:
    """Lists that change, and every fifth poll of every third project fails."""

    def __init__(self) -> None:
        self.polls = 0

    async def answer(self, project: Project) -> Listing:
        self.polls += 1
        if self.polls % 5 == 0 and project.name.endswith(("0", "3", "6", "9")):
            raise PollError(FailureReason.SERVER, "answered 502")
        status = Status.OVERDUE if self.polls % 7 < 3 else Status.NORMAL
        return Listing((make_authorization("gh", status), make_authorization(f"g{self.polls % 4}")))


@pytest.fixture
def receivers(clock: WallClock, policy: Policy) -> Iterator[Callable[[Bench], list[Any]]]:
    """All that is told of events, for one bench."""
    with open_log(Nowhere(), level="debug", redactor=Redactor()) as log:

        def make(bench: Bench) -> list[Any]:
            metrics = Metrics(
                fleet=bench.fleet.snapshots,
                checks=lambda: policy.severities,
                credentials=tuple,
                dropped_log_lines=log.dropped_lines,
                version="1",
                logger=log.logger,
            )
            event_log = EventLog(log.logger, monotonic=clock.monotonic)
            return [event_log, metrics, Freshness(clock.monotonic)]

        yield make


class Told(list[Event]):
    """Stands for a bench's events, and passes them on instead of keeping them."""

    def __init__(self, receivers: list[Any]) -> None:
        self._receivers = receivers

    def append(self, event: Event) -> None:
        for receive in self._receivers:
            receive(event)


class Forgetful(list[Any]):
    """Stands for what a fake remembers."""

    def append(self, _: Any) -> None:
        pass


async def test_hours_of_polls_and_changes_leave_no_task_and_no_memory_behind(
    policy: Policy, clock: WallClock, receivers: Callable[[Bench], list[Any]]
) -> None:
    unrest = Unrest()
    bench = Bench(FakeCloud(unrest.answer, polled=Forgetful()), clock, policy)
    bench.events = Told(receivers(bench))
    bench.journal.recorded, bench.journal.departed = Forgetful(), Forgetful()
    bench.lags = Forgetful()
    source = FakeProjects("iam/prod", [])

    async def live(hours: float) -> int:
        for turn in range(int(hours * 60)):
            source.answer = [make_project(f"passing{(turn + each) % 9}") for each in range(4)]
            await asyncio.sleep(60)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        async with bench.running([make_project(f"p{number}") for number in range(20)], source):
            before = await live(0.1)
            tasks = len(asyncio.all_tasks())
            after = await live(HOURS)
            assert len(asyncio.all_tasks()) == tasks
    finally:
        tracemalloc.stop()
    assert unrest.polls > HOURS * 2400
    assert after - before < GROWTH_BYTES
