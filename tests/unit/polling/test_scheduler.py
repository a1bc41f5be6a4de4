from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from auditd.audit.authorization import Listing
from auditd.audit.events import DiscoveryRemoved, Event, PollFinished, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.ports import ProjectSource
from auditd.polling.scheduler import Scheduler
from tests.unit.polling.fakes import (
    FakeCloud,
    FakeJournal,
    FakeProjects,
    FakeTicker,
    WallClock,
    make_authorization,
    make_project,
)

pytestmark = pytest.mark.looptime


class Bench:
    """A scheduler that runs in virtual time."""

    def __init__(self, cloud: FakeCloud, clock: WallClock, policy: Policy) -> None:
        self.cloud = cloud
        self.clock = clock
        self.policy = policy
        self.fleet = Fleet()
        self.events: list[Event] = []
        self.journal = FakeJournal()
        self.lags: list[float] = []
        self.steps: list[datetime] = []

    @asynccontextmanager
    async def running(
        self, projects: Sequence[Project], *sources: ProjectSource
    ) -> AsyncIterator[Scheduler]:
        poller = Poller(
            source=self.cloud,
            fleet=self.fleet,
            policy=self.policy,
            journal=self.journal,
            emit=self.events.append,
            now=self.clock,
            monotonic=self.clock.monotonic,
        )
        scheduler = Scheduler(
            poller=poller,
            journal=self.journal,
            fleet=self.fleet,
            configured=projects,
            sources=sources,
            dispatch=lambda slots: dispatched(scheduler, slots),
            emit=self.events.append,
            on_lag=self.lags.append,
            on_step=lambda: self.steps.append(self.clock()),
            now=self.clock,
            monotonic=self.clock.monotonic,
            make_ticker=FakeTicker,
        )
        polls: set[asyncio.Task[None]] = set()

        def dispatched(scheduler: Scheduler, slots: Sequence[Slot]) -> None:
            for slot in slots:
                poll = asyncio.create_task(scheduler.perform(slot.project.name, slot.at))
                polls.add(poll)
                poll.add_done_callback(polls.discard)

        task = asyncio.create_task(scheduler.run())
        yield scheduler
        for ending in (task, *polls):
            ending.cancel()
        await asyncio.gather(task, *polls, return_exceptions=True)
        assert self.cloud.under_way == 0

    def polls(self) -> Counter[str]:
        return Counter(event.project for event in self.events if isinstance(event, PollFinished))

    def skips(self) -> list[PollSkipped]:
        return [event for event in self.events if isinstance(event, PollSkipped)]


@pytest.fixture
def bench(cloud: FakeCloud, clock: WallClock, policy: Policy) -> Bench:
    return Bench(cloud, clock, policy)


async def test_every_project_is_polled_at_once_and_then_once_an_interval(bench: Bench) -> None:
    async with bench.running([make_project(f"p{n}") for n in range(10)]):
        await asyncio.sleep(0.5)
        assert set(bench.polls().values()) == {1}
        await asyncio.sleep(10 * 60)
    assert set(bench.polls().values()) <= {10, 11}  # the first grid slot may be too near
    assert bench.skips() == []


async def test_a_project_that_hangs_delays_no_other(bench: Bench) -> None:
    async def answer(project: Project) -> Listing:
        if project.name == "slow":
            await asyncio.Event().wait()
        return Listing((make_authorization(),))

    bench.cloud.answer = answer
    async with bench.running([make_project("slow"), make_project("quick")]):
        await asyncio.sleep(600.5)
    assert bench.polls() == {"quick": 10}
    assert Counter((skip.project, skip.reason) for skip in bench.skips()) == {
        ("slow", SkipReason.OVERLAP): 9
    }


async def test_a_blocked_loop_loses_no_project_and_counts_the_slots(bench: Bench) -> None:
    async with bench.running([make_project(f"p{n}") for n in range(5)]):
        await asyncio.sleep(300)
        before = bench.polls()
        bench.clock.stall_seconds += 180
        await asyncio.sleep(0.5)
        after = bench.polls()
    assert all(after[name] == before[name] + 1 for name in before)
    assert {skip.reason for skip in bench.skips()} == {SkipReason.BLOCKED}
    assert {skip.slots for skip in bench.skips()} <= {2, 3}


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(days=30)])
async def test_after_a_suspend_or_a_step_forward_every_project_is_polled_at_once(
    bench: Bench, step: timedelta
) -> None:
    async with bench.running([make_project(f"p{n}") for n in range(5)]):
        await asyncio.sleep(300)
        before = bench.polls()
        bench.clock.step += step
        await asyncio.sleep(2)
        after = bench.polls()
    assert all(after[name] == before[name] + 1 for name in before)
    assert {skip.reason for skip in bench.skips()} == {SkipReason.CLOCK}


async def test_after_a_step_back_no_project_waits_for_more_than_an_interval(
    bench: Bench,
) -> None:
    async with bench.running([make_project(f"p{n}") for n in range(5)]):
        await asyncio.sleep(300)
        before = bench.polls()
        bench.clock.step -= timedelta(days=1)
        await asyncio.sleep(62)
        assert len(bench.steps) == 1
        after = bench.polls()
    assert all(1 <= after[name] - before[name] <= 2 for name in before)


async def test_a_discovered_project_is_polled_and_a_lost_one_forgotten(bench: Bench) -> None:
    source = FakeProjects("iam/prod", [make_project("found")])
    async with bench.running([make_project("fixed")], source) as scheduler:
        assert scheduler.unread_sources == {"iam/prod"}
        assert not scheduler.complete.is_set()
        await asyncio.wait_for(scheduler.complete.wait(), 0.5)
        assert scheduler.unread_sources == frozenset()
        assert bench.polls() == {"fixed": 1, "found": 1}
        source.answer = []
        await asyncio.sleep(10)
        assert [snapshot.project.name for snapshot in bench.fleet.snapshots()] == ["fixed"]
        assert DiscoveryRemoved("iam/prod", "found") in bench.events
        assert bench.journal.departed == ["found"]
        await asyncio.sleep(120)
        assert bench.polls()["found"] <= 2


async def test_a_fleet_without_projects_is_complete_when_its_sources_were_read(
    bench: Bench,
) -> None:
    source = FakeProjects("iam/prod", ValueError("no"))
    async with bench.running([], source) as scheduler:
        await asyncio.wait_for(scheduler.complete.wait(), 0.5)
        assert not scheduler.fleet_known.is_set()
        source.answer = []
        await asyncio.wait_for(scheduler.fleet_known.wait(), 10.5)


async def test_a_poll_under_way_of_a_lost_project_is_cancelled(bench: Bench) -> None:
    async def answer(_: Project) -> Listing:
        await asyncio.Event().wait()
        raise AssertionError

    bench.cloud.answer = answer
    source = FakeProjects("iam/prod", [make_project("found")])
    async with bench.running([], source):
        await asyncio.sleep(1)
        assert bench.cloud.under_way == 1
        source.answer = []
        await asyncio.sleep(10)
        assert bench.cloud.under_way == 0


async def test_new_settings_of_a_project_keep_what_is_known_of_it(bench: Bench) -> None:
    source = FakeProjects("file/0", [make_project("a")])
    async with bench.running([], source):
        await asyncio.sleep(1)
        source.answer = [make_project("a", labels=(("team", "pay"),))]
        await asyncio.sleep(10)
        (snapshot,) = bench.fleet.snapshots()
        assert snapshot.is_up
        assert snapshot.project.labels == (("team", "pay"),)


async def test_polls_under_way_end_with_the_scheduler(bench: Bench) -> None:
    async def answer(_: Project) -> Listing:
        await asyncio.Event().wait()
        raise AssertionError

    bench.cloud.answer = answer
    async with bench.running([make_project(f"p{n}") for n in range(50)]):
        await asyncio.sleep(1)
        assert bench.cloud.under_way == 50
    assert not [event for event in bench.events if isinstance(event, PollFinished)]


async def test_the_lag_of_the_loop_is_measured(bench: Bench) -> None:
    async with bench.running([]):
        await asyncio.sleep(5.5)
    assert bench.lags == [0.0] * 5
