"""Projects, sources and policy are exchanged while polls go on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit import checks
from auditd.audit.authorization import Listing, Status
from auditd.audit.events import DiscoveryFailed, Event, FindingCleared, FindingFlagged, PollFinished
from auditd.audit.plugin import load_plugins
from auditd.audit.policy import CheckOptions
from auditd.audit.project import Project
from auditd.audit.run import Policy, build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.polling.agenda import Agenda, Slot
from auditd.polling.discovery import Discovery
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.roster import Roster
from tests.unit.polling.fakes import (
    START,
    FakeCloud,
    FakeJournal,
    FakeProjects,
    WallClock,
    make_authorization,
    make_project,
)
from tests.unit.polling.test_scheduler import Bench

pytestmark = pytest.mark.looptime

NAMES = st.sets(st.sampled_from("abcdefgh"))
WITHOUT_OVERDUE = build_policy(
    load_plugins(checks, "none"), {"overdue": CheckOptions(enabled=False)}, blind_after=3
)


@given(before=NAMES, after=NAMES, seconds=st.floats(0, 300), changed=NAMES)
def test_whatever_is_reloaded_an_unchanged_interval_keeps_its_next_slot(
    before: set[str], after: set[str], seconds: float, changed: set[str]
) -> None:
    def projects(names: set[str], **settings: Any) -> list[Project]:
        return [make_project(name, **(settings if name in changed else {})) for name in names]

    agenda, now = Agenda(), START + timedelta(seconds=seconds)
    agenda.replace(projects(before), START)
    agenda.due(START)
    agenda.due(now)
    slots = agenda.next_slots()
    agenda.replace(projects(after, labels=(("team", "new"),), verify=True), now)
    assert {name: agenda.next_slots()[name] for name in before & after} == {
        name: slots[name] for name in before & after
    }
    assert agenda.next_slots().keys() == after


async def test_a_reload_polls_new_projects_ends_removed_ones_and_leaves_the_rest_alone(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    bench = Bench(cloud, clock, policy)
    async with bench.running([make_project("a"), make_project("b")]) as scheduler:
        await asyncio.sleep(1)
        labelled = make_project("b", labels=(("team", "pay"),))
        change = scheduler.adopt([labelled, make_project("c")], [])
        assert [project.name for project in change.added] == ["c"]
        assert [project.name for project in change.updated] == ["b"]
        assert [project.name for project in change.removed] == ["a"]
        await asyncio.sleep(1)
        assert cloud.polled == ["a", "b", "c"]
        assert bench.journal.departed == ["a"]
        known = bench.fleet.get("b")
        assert known is not None
        assert known.project == labelled
        assert known.authorizations


async def test_a_poll_under_way_of_a_removed_project_is_cancelled(
    clock: WallClock, policy: Policy
) -> None:
    async def never(_: Project) -> Listing:
        await asyncio.Event().wait()
        return Listing(())

    cloud = FakeCloud(never)
    bench = Bench(cloud, clock, policy)
    async with bench.running([make_project("a"), make_project("b")]) as scheduler:
        await asyncio.sleep(1)
        assert cloud.under_way == 2
        scheduler.adopt([make_project("b")], [])
        await asyncio.sleep(0)
        assert cloud.under_way == 1
    assert [snapshot.project.name for snapshot in bench.fleet.snapshots()] == ["b"]


async def test_settings_that_change_during_a_poll_are_not_taken_back_by_it(
    clock: WallClock, policy: Policy
) -> None:
    async def slow(_: Project) -> Listing:
        await asyncio.sleep(5)
        return Listing((make_authorization(),))

    bench = Bench(FakeCloud(slow), clock, policy)
    async with bench.running([make_project("a")]) as scheduler:
        await asyncio.sleep(1)
        scheduler.adopt([make_project("a", labels=(("team", "pay"),))], [])
        await asyncio.sleep(5)
        known = bench.fleet.get("a")
        assert known is not None
        assert known.authorizations
        assert known.project.labels == (("team", "pay"),)


def test_a_source_that_stays_keeps_what_it_gave_and_one_that_goes_takes_it_along() -> None:
    roster = Roster([make_project("a")], ["iam/x", "iam/y"])
    roster.refresh("iam/x", [make_project("b")])
    roster.refresh("iam/y", [make_project("c")])
    change = roster.adopt([make_project("d")], ["iam/y", "iam/z"])
    assert [project.name for project in change.removed] == ["a", "b"]
    assert [project.name for project in roster.projects] == ["d", "c"]
    assert not roster.adopt([make_project("d")], ["iam/y", "iam/z"])


class Counting(FakeProjects):
    """Counts how often it is read."""

    reads = 0

    async def projects(self) -> Any:
        self.reads += 1
        return await super().projects()


async def test_the_very_same_source_goes_on_and_another_of_its_name_is_read_at_once() -> None:
    kept, old, gone = Counting("iam/x", []), Counting("iam/y", []), Counting("iam/z", [])
    new, added = Counting("iam/y", []), Counting("iam/w", ValueError("bad"))
    discovery = Discovery(
        roster=Roster([], ["iam/x", "iam/y", "iam/z"]),
        sources=[kept, old, gone],
        on_change=lambda _: None,
        on_read=lambda: None,
        emit=lambda _: None,
    )
    task = asyncio.create_task(discovery.run())
    await asyncio.sleep(5)
    discovery.adopt([kept, new, added])
    assert discovery.unread == {"iam/w"}
    await asyncio.sleep(4)
    assert [it.reads for it in (kept, old, gone, new, added)] == [1, 1, 1, 1, 1]
    assert discovery.unread == frozenset()
    assert discovery.unanswered == {"iam/w"}
    await asyncio.sleep(10)
    assert [it.reads for it in (kept, old, gone, new, added)] == [2, 1, 1, 2, 2]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_failures_of_a_source_are_counted_until_it_answers() -> None:
    events: list[Event] = []
    source = FakeProjects("iam/x", ValueError("bad"))
    discovery = Discovery(
        roster=Roster([], ["iam/x"]),
        sources=[source],
        on_change=lambda _: None,
        on_read=lambda: None,
        emit=events.append,
    )
    answers: list[list[Project] | Exception] = [
        ValueError("1"),
        ValueError("2"),
        [],
        ValueError("3"),
    ]
    for answer in answers:
        source.answer = answer
        await discovery.refresh(source)
    counts = [event.failures_in_a_row for event in events if isinstance(event, DiscoveryFailed)]
    assert counts == [1, 2, 1]


class Judged:
    """One project with an overdue authorization."""

    def __init__(self, cloud: FakeCloud, clock: WallClock, policy: Policy) -> None:
        self.events: list[Event] = []
        self.fleet = Fleet()
        self.journal = FakeJournal()
        self.project = make_project()
        self.fleet.join(self.project)
        self.poller = Poller(
            source=cloud,
            fleet=self.fleet,
            policy=policy,
            journal=self.journal,
            emit=self.events.append,
            now=clock,
            monotonic=clock.monotonic,
        )

    async def poll(self) -> None:
        await self.poller.poll(Slot(self.project, START))

    @property
    def snapshot(self) -> ProjectSnapshot:
        snapshot = self.fleet.get("payments")
        assert snapshot
        return snapshot


async def overdue(_: Project) -> Listing:
    return Listing((make_authorization(status=Status.OVERDUE),))


@pytest.fixture
def judged(clock: WallClock, policy: Policy) -> Judged:
    return Judged(FakeCloud(overdue), clock, policy)


async def test_another_policy_judges_what_is_known_without_a_poll(
    judged: Judged, policy: Policy
) -> None:
    await judged.poll()
    for other, kind in ((WITHOUT_OVERDUE, FindingCleared), (policy, FindingFlagged)):
        judged.poller.adopt(other)
        judged.events.clear()
        await judged.poller.rejudge("payments")
        [event] = judged.events
        assert isinstance(event, kind)
        assert judged.journal.recorded[-1] == judged.snapshot
    assert sum(isinstance(event, PollFinished) for event in judged.events) == 0


async def test_what_nobody_polled_is_judged_in_silence(judged: Judged) -> None:
    judged.poller.adopt(WITHOUT_OVERDUE)
    await judged.poller.rejudge("payments")
    await judged.poller.rejudge("unknown")
    assert judged.events == []
    assert judged.journal.recorded == []
    assert judged.fleet.untried == 1


async def test_a_recalled_project_that_is_judged_still_counts_as_untried(
    clock: WallClock, policy: Policy
) -> None:
    judged = Judged(FakeCloud(overdue), clock, policy)
    await judged.poll()
    recalled = judged.snapshot
    judged.fleet = Fleet(lambda _: recalled)
    judged.fleet.join(judged.project)
    judged.poller._fleet = judged.fleet
    judged.poller.adopt(WITHOUT_OVERDUE)
    await judged.poller.rejudge("payments")
    assert judged.snapshot.findings == ()
    assert judged.fleet.untried == 1


async def test_a_poll_that_is_written_while_the_policy_changes_is_judged_by_the_new_one(
    clock: WallClock, policy: Policy
) -> None:
    class SlowJournal(FakeJournal):
        async def record(self, snapshot: ProjectSnapshot) -> None:
            await asyncio.sleep(5)
            await super().record(snapshot)

    judged = Judged(FakeCloud(overdue), clock, policy)
    judged.journal = SlowJournal()
    judged.poller._journal = judged.journal
    poll = asyncio.create_task(judged.poll())
    await asyncio.sleep(1)
    judged.poller.adopt(WITHOUT_OVERDUE)
    await judged.poller.rejudge("payments")
    await poll
    assert judged.snapshot.findings == ()
    assert [bool(snapshot.findings) for snapshot in judged.journal.recorded] == [True, False]
    assert replace(judged.snapshot, findings=()) == judged.journal.recorded[-1]
