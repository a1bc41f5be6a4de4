from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from auditd.audit.events import PollSkipped
from auditd.audit.failure import SkipReason
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.daemon.replica_slots import ReplicaSlots
from auditd.engine.local import LocalEngine
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.store.errors import StoreFault, StoreOutdatedError, StoreWriteError
from tests.unit.polling.fakes import START, make_project

pytestmark = pytest.mark.looptime
OUTDATED = StoreOutdatedError("PostgreSQL on db", "9998", "0001")
AWAY = StoreWriteError(StoreFault.UNREACHABLE, "PostgreSQL on db")


class FakeReplicas:
    """A database that all claims succeed in once it is there."""

    def __init__(self) -> None:
        self.is_away = False
        self.is_outdated = False
        self.claimed: list[dict[str, tuple[datetime, datetime]]] = []
        self.wins = True
        self.discovered: dict[str, tuple[Project, ...]] = {}

    async def claim_polls(self, slots: dict[str, Any], _enlist: object) -> Sequence[str]:
        if self.is_outdated:
            raise OUTDATED
        if self.is_away:
            raise AWAY
        self.claimed.append(slots)
        return list(slots) if self.wins else []

    async def claim(self, name: str, slot: Any) -> bool:
        if self.is_away:
            raise AWAY
        self.claimed.append({name: slot})
        return self.wins

    async def put_discovery(self, source: str, projects: Sequence[Project]) -> None:
        self.discovered[source] = tuple(projects)

    async def discovery(self, source: str) -> tuple[Project, ...] | None:
        return self.discovered.get(source)


class Source:
    """A discovery source that counts how often it is asked."""

    name = "iam"
    refresh_interval = timedelta(minutes=10)
    asked = 0

    async def projects(self) -> Sequence[Project]:
        self.asked += 1
        return [make_project("found")]


class Bench:
    """Slots of one replica."""

    def __init__(self) -> None:
        self.replicas = FakeReplicas()
        self.fleet = Fleet()
        self.polled: set[datetime] = set()
        self.noted = 0
        self.told: list[object] = []
        self.slots = ReplicaSlots(
            self.replicas,  # type: ignore[arg-type] # as much of them as is needed
            LocalEngine(),
            self.fleet,
            is_polled=lambda slot: slot.at in self.polled,
            on_polled=self._note,
            emit=self.told.append,
            now=lambda: START + timedelta(seconds=61),
        )

    def _note(self) -> None:
        self.noted += 1


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_is_due_stays_due_until_it_can_be_claimed(bench: Bench) -> None:
    project = make_project("payments")
    bench.replicas.is_away = True
    task = asyncio.create_task(bench.slots.run())
    bench.slots.dispatch([Slot(project, START)])
    await asyncio.sleep(5)
    later = START + project.poll_interval
    bench.slots.dispatch([Slot(project, later)])
    bench.replicas.is_away = False
    await asyncio.sleep(5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert bench.replicas.claimed == [{"payments": (later, later + 2 * project.poll_interval)}]


async def test_a_slot_that_another_replica_has_polled_is_not_claimed(bench: Bench) -> None:
    project = make_project("payments")
    bench.fleet.join(project)
    bench.polled.add(START)
    bench.slots.dispatch([Slot(project, START)])
    assert bench.noted == 1
    assert bench.fleet.untried == 0


@pytest.mark.parametrize(
    ("wins", "attempted", "told"),
    [
        (True, None, 3),
        (True, timedelta(hours=1), 3),
        (True, timedelta(minutes=5, seconds=-1), 0),
        (True, timedelta(minutes=11), 2),
        (False, timedelta(hours=1), 0),
    ],
)
async def test_slots_that_nobody_saw_to_are_told_of_by_whoever_has_the_next(
    bench: Bench, *, wins: bool, attempted: timedelta | None, told: int
) -> None:
    project = make_project("payments", poll_interval=timedelta(minutes=5))
    bench.fleet.join(project)
    if attempted:
        bench.fleet.publish(ProjectSnapshot(project, attempted_at=START - attempted))
    bench.replicas.wins = wins
    task = asyncio.create_task(bench.slots.run())
    bench.slots.dispatch([Slot(project, START, missed=3)])
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert bench.replicas.claimed
    expected = [PollSkipped("payments", SkipReason.BLOCKED, told)] if told else []
    assert bench.told == expected


async def test_who_is_older_than_the_state_claims_nothing_more(bench: Bench) -> None:
    bench.replicas.is_outdated = True
    bench.slots.dispatch([Slot(make_project("payments"), START)])
    with pytest.raises(StoreOutdatedError):
        await bench.slots.run()


async def test_what_is_done_once_is_claimed_for_the_slot_of_now(bench: Bench) -> None:
    assert await bench.slots.claim("heartbeat", timedelta(minutes=1))
    minute = START + timedelta(minutes=1)
    assert bench.replicas.claimed == [{"heartbeat": (minute, minute + timedelta(minutes=2))}]
    bench.replicas.wins = False
    assert not await bench.slots.claim("heartbeat", timedelta(minutes=1))


async def test_while_nothing_can_be_claimed_everybody_tells_what_is_the_same(bench: Bench) -> None:
    bench.replicas.is_away = True
    assert await bench.slots.claim("refresh alertmanager", timedelta(minutes=1))


async def test_a_source_is_asked_by_whoever_claims_it_and_given_to_the_others(
    bench: Bench,
) -> None:
    source = Source()
    assert await bench.slots.read(source) == [make_project("found")]
    bench.replicas.wins = False
    assert await bench.slots.read(source) == (make_project("found"),)
    assert source.asked == 1


async def test_who_does_not_ask_waits_until_another_replica_was_answered(bench: Bench) -> None:
    bench.replicas.wins = False
    reading = asyncio.create_task(bench.slots.read(Source()))
    await asyncio.sleep(5)
    assert not reading.done()
    bench.replicas.discovered["iam"] = (make_project("found"),)
    assert await reading == (make_project("found"),)


async def test_a_database_that_is_away_is_a_source_that_cannot_be_read(bench: Bench) -> None:
    bench.replicas.is_away = True
    with pytest.raises(ValueError, match="the server is away"):
        await bench.slots.read(Source())
