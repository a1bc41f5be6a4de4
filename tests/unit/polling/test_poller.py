from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from auditd.audit.authorization import Listing, Status
from auditd.audit.events import (
    AuthorizationAdded,
    AuthorizationRemoved,
    Event,
    FindingFlagged,
    PollFailed,
    PollFinished,
)
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.polling.poller import TRIES, Poller
from tests.unit.polling.fakes import (
    START,
    FakeCloud,
    FakeJournal,
    WallClock,
    make_authorization,
    make_project,
)

pytestmark = pytest.mark.looptime


class Bench:
    """A poller over one project, with everything it said."""

    def __init__(self, cloud: FakeCloud, clock: WallClock, policy: Policy, **settings: Any) -> None:
        self.cloud = cloud
        self.fleet = Fleet()
        self.events: list[Event] = []
        self.journal = FakeJournal()
        self.project = make_project(**settings)
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

    def snapshot(self) -> ProjectSnapshot:
        snapshot = self.fleet.get(self.project.name)
        assert snapshot is not None
        return snapshot

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


async def test_a_list_is_checked_published_and_told(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    async def answer(_: Project) -> Listing:
        await asyncio.sleep(0.5)
        return Listing((make_authorization(status=Status.OVERDUE),))

    cloud.answer = answer
    bench = Bench(cloud, clock, policy)
    await bench.poll()
    assert bench.snapshot().is_up
    assert list(bench.snapshot().authorizations or {}) == ["gh"]
    assert [finding.check for finding in bench.snapshot().findings] == ["overdue"]
    assert len(bench.told(FindingFlagged)) == 1
    assert bench.journal.recorded == [bench.snapshot()]
    (finished,) = bench.told(PollFinished)
    assert finished == PollFinished("payments", 0.5, 0.0, 1, 1, (), is_news=True)


async def test_what_a_former_process_found_is_flagged_again_by_the_first_list_only(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    async def answer(_: Project) -> Listing:
        return Listing((make_authorization(status=Status.OVERDUE),))

    cloud.answer = answer
    former = Bench(cloud, clock, policy)
    await former.poll()
    bench = Bench(cloud, clock, policy)
    bench.fleet = Fleet(lambda _: former.snapshot())
    bench.fleet.join(bench.project)
    bench.poller._fleet = bench.fleet
    await bench.poll()
    await bench.poll()
    assert len(bench.told(FindingFlagged)) == 1
    assert [event.is_news for event in bench.told(PollFinished)] == [True, False]  # type: ignore[union-attr] # told() gave that kind
    assert bench.told(AuthorizationAdded) == []


async def test_waiting_for_a_turn_is_lag_and_not_duration(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    async def admit(_: Project) -> None:
        await asyncio.sleep(7)

    cloud.admit = admit
    bench = Bench(cloud, clock, policy)
    await bench.poll()
    (finished,) = bench.told(PollFinished)
    assert isinstance(finished, PollFinished)
    assert (finished.lag_seconds, finished.duration_seconds) == (7.0, 0.0)


@pytest.mark.parametrize("reason", list(FailureReason))
async def test_a_failed_poll_is_one_event_and_leaves_what_was_known(
    cloud: FakeCloud, clock: WallClock, policy: Policy, reason: FailureReason
) -> None:
    bench = Bench(cloud, clock, policy)
    await bench.poll()
    before = bench.snapshot()
    bench.events.clear()

    async def answer(_: Project) -> Listing:
        raise PollError(reason, "no list")

    cloud.answer = answer
    await bench.poll()
    assert len(bench.events) == 1
    assert isinstance(bench.events[0], PollFailed)
    assert bench.journal.recorded[-1].failure is reason
    assert bench.snapshot().failure is reason
    assert bench.snapshot().authorizations == before.authorizations
    assert bench.snapshot().findings == before.findings


async def test_a_turn_that_is_refused_is_a_failed_poll(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    async def admit(_: Project) -> None:
        raise PollError(FailureReason.AUTH, "held until 10:00")

    cloud.admit = admit
    bench = Bench(cloud, clock, policy)
    await bench.poll()
    (failed,) = bench.told(PollFailed)
    assert isinstance(failed, PollFailed)
    assert (failed.reason, failed.message) == (FailureReason.AUTH, "held until 10:00")


async def test_a_fault_of_our_own_is_a_failed_poll_and_is_logged(
    cloud: FakeCloud, clock: WallClock, policy: Policy, caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(_: Project) -> Listing:
        raise ZeroDivisionError

    cloud.answer = answer
    bench = Bench(cloud, clock, policy)
    await bench.poll()
    assert bench.snapshot().failure is FailureReason.INTERNAL
    assert "ZeroDivisionError" in caplog.text


async def test_blindness_is_flagged_at_the_third_failure_and_cleared_by_the_next_list(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    good = cloud.answer

    async def answer(_: Project) -> Listing:
        raise PollError(FailureReason.SERVER, "no list")

    cloud.answer = answer
    bench = Bench(cloud, clock, policy)
    for expected in ([], [], ["blind"], ["blind"]):
        await bench.poll()
        assert [finding.check for finding in bench.snapshot().findings] == expected
    cloud.answer = good
    await bench.poll()
    assert bench.snapshot().findings == ()


async def test_verification_happens_only_where_it_is_asked_for(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    cloud.verdicts = {"gh": Verdict.BROKEN}
    bench = Bench(cloud, clock, policy)
    await bench.poll()
    assert bench.snapshot().verifications == {}


async def test_a_broken_credential_is_found_although_the_list_says_normal(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    cloud.verdicts = {"gh": Verdict.BROKEN}
    bench = Bench(cloud, clock, policy, verify=True)
    await bench.poll()
    assert [finding.check for finding in bench.snapshot().findings] == ["broken"]
    assert len(bench.told(PollFinished)) == 1


async def test_a_verdict_is_kept_for_an_hour(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    cloud.verdicts = {"gh": Verdict.WORKS}
    bench = Bench(cloud, clock, policy, verify=True)
    await bench.poll()
    cloud.verdicts = {"gh": Verdict.BROKEN}
    await bench.poll()
    assert bench.snapshot().verifications["gh"].verdict is Verdict.WORKS
    clock.step += timedelta(hours=1)
    await bench.poll()
    assert bench.snapshot().verifications["gh"].verdict is Verdict.BROKEN


async def test_a_refusal_while_verifying_does_not_undo_the_list(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    cloud.verdicts = {"gh": PollError(FailureReason.AUTH, "refused")}
    bench = Bench(cloud, clock, policy, verify=True)
    await bench.poll()
    assert bench.snapshot().is_up
    assert bench.told(PollFailed) == []
    assert len(bench.told(PollFinished)) == 1


async def test_probes_that_hang_cost_one_timeout_and_not_the_list(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    class Hanging(FakeCloud):
        async def verdict(self, name: str) -> Verdict:
            await asyncio.Event().wait()
            raise AssertionError

    hanging = Hanging(cloud.answer)
    bench = Bench(hanging, clock, policy, verify=True)
    await bench.poll()
    assert clock.monotonic() == 30
    assert bench.snapshot().is_up
    (finished,) = bench.told(PollFinished)
    assert isinstance(finished, PollFinished)
    assert finished.duration_seconds == 0.0


async def test_cancelling_a_poll_tells_nothing_and_leaves_the_turn(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    async def answer(_: Project) -> Listing:
        await asyncio.Event().wait()
        raise AssertionError

    cloud.answer = answer
    bench = Bench(cloud, clock, policy)
    task = asyncio.create_task(bench.poll())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.events == []
    assert cloud.under_way == 0


async def test_a_poll_is_worked_out_again_on_what_another_replica_wrote(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    async def answer(_: Project) -> Listing:
        return Listing((make_authorization(),))

    cloud.answer = answer
    bench = Bench(cloud, clock, policy)
    theirs = ProjectSnapshot(bench.project, authorizations={"old": make_authorization("old")})
    bench.journal.on_catching_up = [lambda: bench.fleet.publish(theirs)]
    await bench.poll()
    assert cloud.polled == [bench.project.name]
    assert [it.authorizations.keys() for it in bench.journal.recorded if it.authorizations] == [
        {"gh": None}.keys()
    ]
    assert bench.told(AuthorizationRemoved)


async def test_a_poll_is_dropped_when_another_replica_polled_after_its_slot(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    bench = Bench(cloud, clock, policy)
    later = START + timedelta(seconds=1)
    bench.journal.on_catching_up = [
        lambda: bench.poller.polled_elsewhere(bench.project.name, later)
    ]
    await bench.poll()
    assert bench.journal.recorded == []
    assert bench.events == []


async def test_a_poll_that_is_always_superseded_is_dropped_with_a_word(
    cloud: FakeCloud, clock: WallClock, policy: Policy, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(cloud, clock, policy)
    bench.journal.on_catching_up = [lambda: None] * TRIES
    await bench.poll()
    assert bench.journal.recorded == []
    assert "is dropped" in caplog.text


class SlowJournal(FakeJournal):
    """Takes its time."""

    async def record(self, snapshot: ProjectSnapshot) -> None:
        await asyncio.sleep(5)
        await super().record(snapshot)


async def test_a_list_is_shown_while_it_is_written_but_told_and_counted_afterwards(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    bench = Bench(cloud, clock, policy)
    bench.journal = bench.poller._journal = SlowJournal()
    polling = asyncio.create_task(bench.poll())
    await asyncio.sleep(1)
    assert list(bench.snapshot().authorizations or {}) == ["gh"]
    assert bench.fleet.is_untried(bench.project.name)
    assert bench.events == []
    await polling
    assert bench.journal.recorded == [bench.snapshot()]
    assert not bench.fleet.is_untried(bench.project.name)
    assert len(bench.told(PollFinished)) == 1


async def test_what_another_replica_superseded_is_shown_no_more(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    bench = Bench(cloud, clock, policy)
    before, seen = bench.snapshot(), []
    bench.journal.on_catching_up = [lambda: seen.append(bench.snapshot())]
    await bench.poll()
    assert seen == [before]
    assert bench.journal.recorded == [bench.snapshot()]


async def test_a_slot_is_outdated_by_a_later_poll_but_not_by_one_from_far_ahead(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    bench = Bench(cloud, clock, policy)
    slot = Slot(bench.project, START)
    assert not bench.poller.is_outdated(slot)
    for at, is_outdated in [
        (START - timedelta(seconds=1), False),
        (START, True),
        (clock() + 2 * bench.project.poll_interval, True),
        (clock() + timedelta(days=1), False),
    ]:
        bench.poller.polled_elsewhere(bench.project.name, at)
        assert bench.poller.is_outdated(slot) is is_outdated


class Noting(FakeJournal):
    """Takes what it has recorded already as no news."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[ProjectSnapshot] = []

    def note(self, snapshot: ProjectSnapshot) -> bool:
        is_known = any(snapshot.authorizations is one.authorizations for one in self.recorded)
        self.noted += [snapshot] if is_known else []
        return is_known


async def test_what_says_nothing_new_is_noted_and_told_but_not_recorded(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    bench = Bench(cloud, clock, policy)
    bench.journal = journal = Noting()
    bench.poller._journal = journal
    for _ in range(3):
        await bench.poll()
        await asyncio.sleep(60)

    assert len(journal.recorded) == 1
    assert journal.noted[-1] is bench.snapshot()
    assert len(bench.told(PollFinished)) == 3


async def test_nothing_is_noted_while_the_project_is_being_written(
    cloud: FakeCloud, clock: WallClock, policy: Policy
) -> None:
    class Slow(Noting):
        async def record(self, snapshot: ProjectSnapshot) -> None:
            await super().record(snapshot)
            await asyncio.sleep(5)

    bench = Bench(cloud, clock, policy)
    bench.journal = journal = Slow()
    bench.poller._journal = journal
    await bench.poll()
    bench.poller.adopt(Policy(checks=(), blind_after=3))
    rejudging = asyncio.create_task(bench.poller.rejudge(bench.project.name))
    await asyncio.sleep(1)
    polled = asyncio.create_task(bench.poll())
    await asyncio.sleep(1)
    assert journal.noted == []
    await asyncio.gather(rejudging, polled)
    assert bench.snapshot().attempted_at == journal.recorded[-1].attempted_at
    assert len(journal.recorded) == 3
