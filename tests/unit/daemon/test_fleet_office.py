"""On a real scheduler, with a cloud that answers as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from auditd.alerting.rules import Rules
from auditd.audit.authorization import Listing
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.daemon.fleet_office import FleetDesk
from auditd.daemon.watch import utc_now
from auditd.daemon.work import dispatch_to, work
from auditd.engine.local import LocalEngine
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.scheduler import Scheduler
from auditd.store.opening import open_store
from auditd.store.store import Store
from auditd.web.fleet_office import FleetOffice, Standing
from auditd.web.office import UnavailableError
from tests.unit.polling.fakes import (
    START,
    FakeCloud,
    FakeJournal,
    FakeTicker,
    WallClock,
    make_authorization,
    make_project,
    one_authorization,
)
from tests.unit.web.fleet_fakes import CHECKS

STANDING = Standing("1.2.3", START, (), "/etc/auditd.yaml", START, "")


class Bench:
    """A desk over parts that run once `running` is entered."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cloud = FakeCloud(one_authorization)
        fleet, journal, clock = Fleet(), FakeJournal(), WallClock()
        self._engine = LocalEngine()
        self._scheduler = Scheduler(
            poller=Poller(
                source=self.cloud,
                fleet=fleet,
                policy=Policy(CHECKS, blind_after=3),
                journal=journal,
                emit=lambda _: None,
                now=clock,
                monotonic=clock.monotonic,
            ),
            journal=journal,
            fleet=fleet,
            configured=[make_project("payments")],
            sources=[],
            dispatch=dispatch_to(self._engine),
            emit=lambda _: None,
            on_lag=lambda _: None,
            on_step=lambda: None,
            now=clock,
            monotonic=clock.monotonic,
            make_ticker=FakeTicker,
        )
        self.desk: FleetOffice = FleetDesk(
            fleet,
            self._scheduler,
            store,
            standing=lambda: STANDING,
            checks=lambda: CHECKS,
            rules=lambda: Rules({}),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self._scheduler.run()),
            asyncio.create_task(work(self._engine, self._scheduler)),
        ]
        await asyncio.sleep(1)
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    async with open_store(url, now=utc_now, retention=timedelta(days=1)) as store:
        yield Bench(store)


async def test_what_is_known_is_given_on(bench: Bench) -> None:
    (snapshot,) = bench.desk.snapshots()
    assert bench.desk.snapshot("payments") is snapshot
    assert bench.desk.standing() is STANDING
    assert bench.desk.checks() is CHECKS
    with pytest.raises(LookupError, match="there is no project 'billing'"):
        bench.desk.snapshot("billing")


@pytest.mark.looptime
async def test_a_project_is_polled_when_it_is_asked_for(bench: Bench) -> None:
    async with bench.running():
        due_at = bench.desk.next_polls()["payments"]
        assert bench.cloud.polled == ["payments"]  # its first slot
        snapshot = await bench.desk.poll_now("payments")
        assert bench.cloud.polled == ["payments"] * 2
        assert snapshot.attempted_at is not None
        assert snapshot.attempted_at >= START
        assert bench.desk.next_polls()["payments"] == due_at  # its slots stay
        with pytest.raises(LookupError):
            await bench.desk.poll_now("billing")


@pytest.mark.looptime
async def test_whoever_gives_up_leaves_the_poll_to_others(bench: Bench) -> None:
    async with bench.running():

        async def answer(project: Project) -> Listing:
            await asyncio.sleep(20)
            return await one_authorization(project)

        bench.cloud.answer = answer
        patient = asyncio.create_task(bench.desk.poll_now("payments"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await bench.desk.poll_now("payments")
        assert (await patient).is_up
        assert bench.cloud.polled == ["payments"] * 2


async def test_the_history_is_the_stores(bench: Bench) -> None:
    assert list(await bench.desk.history("payments")) == []
    authorization, at = make_authorization(), utc_now()
    snapshot = ProjectSnapshot(
        make_project(), at, at, authorizations={authorization.name: authorization}
    )
    await bench.store.record_poll(snapshot, (), (), ())
    (entry,) = await bench.desk.history("payments", authorization=authorization.name, limit=5)
    assert (entry.project, entry.listed) == ("payments", authorization)
    assert list(await bench.desk.history("payments", before=entry.seq)) == []


async def test_a_daemon_that_does_not_poll_says_so(bench: Bench) -> None:
    with pytest.raises(UnavailableError, match="ask later"):
        await bench.desk.poll_now("payments")
