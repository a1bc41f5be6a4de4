"""What happens when the server goes away, at the worst moments too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from auditd.alerting.delivery import DeliveryState
from auditd.store.errors import StoreError, StoreFault, StoreReadError, StoreWriteError
from auditd.store.store import Store
from tests.postgres import PostgresServer, private_server, reset
from tests.unit.store.examples import (
    START,
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_snapshot,
    an_alert,
    fired,
    opened_at,
    settled,
)
from tests.unit.store.wire import Break, Wire

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def _server(postgres_binaries: Path) -> Iterator[PostgresServer]:
    with private_server(postgres_binaries) as server:
        yield server


@pytest.fixture
def server(_server: PostgresServer) -> PostgresServer:
    """One that the test may kill; empty."""
    reset(_server.url)
    return _server


@pytest.fixture
def wire(postgres: str) -> Iterator[Wire]:
    """Between the store and an empty database."""
    wire = Wire(make_url(postgres).port or 5432)
    yield wire
    wire.close()


@pytest.fixture
def url(wire: Wire, postgres: str) -> str:
    """Of the database, through the wire."""
    return make_url(postgres).set(port=wire.port).render_as_string(hide_password=False)


async def test_a_server_that_is_killed_loses_nothing_and_is_used_again(
    server: PostgresServer, clock: Clock
) -> None:
    acknowledged = 0
    async with opened_at(server.url, clock) as store:

        async def poll() -> None:
            nonlocal acknowledged
            for number in range(1, 1_000_000):
                alert = an_alert("p", str(number))
                groups = [a_group("g", alert.fingerprint)]
                await store.record_poll(
                    a_snapshot("p", user=str(number)), [alert], [fired(alert)], groups
                )
                acknowledged = number
                if number == 10:
                    is_busy.set()

        for _ in range(5):
            is_busy = asyncio.Event()
            polling = asyncio.create_task(poll())
            await is_busy.wait()
            await asyncio.to_thread(server.stop)
            with pytest.raises(StoreWriteError, match="see that it runs") as failure:
                await polling
            assert failure.value.reason is StoreFault.UNREACHABLE
            assert store.fault is StoreFault.UNREACHABLE
            with pytest.raises(StoreReadError, match="the server is away"):
                await store.load()
            await asyncio.to_thread(server.start)
            await _whole(store, acknowledged)
            await store.save()
            assert store.is_writable
            await store.forget_project("p")
    async with opened_at(server.url, clock) as store:
        assert (await store.verify()).ok


async def _whole(store: Store, acknowledged: int) -> None:
    """Each part of a poll's transaction tells the same number."""
    state = await store.load()
    (alert,) = state.alerts["p"]
    snapshot = state.snapshot_of(a_project("p"))
    assert snapshot.authorizations
    number = int(snapshot.authorizations["main"].repo_user)
    assert number in {acknowledged, acknowledged + 1}
    assert alert.labels["authorization"] == str(number)
    assert state.groups["g"].members.keys() == {alert.fingerprint}
    (entry,) = await store.trail(limit=1)
    assert entry.subject == alert.fingerprint
    (changed,) = await store.history("p", limit=1)
    assert changed.listed
    assert changed.listed.repo_user == str(number)
    assert (await store.verify()).ok


async def test_a_store_that_did_nothing_meanwhile_notices_no_restart(
    server: PostgresServer, clock: Clock
) -> None:
    async with opened_at(server.url, clock) as store:
        await store.record_poll(a_snapshot(), [], [], [])
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        await store.record_poll(a_snapshot(user="y"), [], [], [])
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        assert len(await store.history("payments")) == 3


async def test_a_store_that_ends_without_its_server_ends(
    server: PostgresServer, clock: Clock
) -> None:
    async with opened_at(server.url, clock) as store:
        await store.record_poll(a_snapshot(), [], [], [])
        await store.record_poll(a_snapshot(at=START + timedelta(minutes=1)), [], [], [])
        await asyncio.to_thread(server.stop)
    await asyncio.to_thread(server.start)


async def _owe(store: Store, delivery_id: str) -> None:
    alert = an_alert()
    await store.record_flush(a_group("g", alert.fingerprint), a_delivery(delivery_id, "g"))


async def test_a_commit_whose_answer_is_lost_is_a_commit(
    url: str, wire: Wire, clock: Clock
) -> None:
    async with opened_at(url, clock) as store:
        wire.breaks = Break.AFTER
        await asyncio.gather(_owe(store, "d1"), store.record_poll(a_snapshot(), [], [], []))
        assert store.is_writable
        await store.settle(settled(a_delivery("d1", "g"), DeliveryState.DELIVERED))
        assert (await store.verify()).ok


async def test_a_server_that_is_back_soon_is_asked_whether_there_was_a_commit(
    url: str, wire: Wire, clock: Clock
) -> None:
    def mend() -> None:
        wire.is_cut = wire.stays_cut = False

    async with opened_at(url, clock) as store:
        wire.breaks, wire.stays_cut = Break.AFTER, True
        owing = asyncio.create_task(_owe(store, "d1"))
        await asyncio.to_thread(wire.broken.wait)
        asyncio.get_running_loop().call_later(0.3, mend)
        await owing
        assert store.is_writable
        assert [delivery.id for delivery in await store.deliveries()] == ["d1"]


async def test_a_commit_that_never_came_to_the_server_is_none(
    url: str, wire: Wire, clock: Clock
) -> None:
    async with opened_at(url, clock) as store:
        wire.breaks = Break.BEFORE
        with pytest.raises(StoreWriteError):
            await _owe(store, "d1")
        assert await store.deliveries() == ()
        await _owe(store, "d2")
        assert [delivery.id for delivery in await store.deliveries()] == ["d2"]


@pytest.mark.parametrize("breaks", Break)
async def test_what_was_told_to_have_failed_can_be_done_again_wherever_it_stands(
    url: str, wire: Wire, clock: Clock, monkeypatch: pytest.MonkeyPatch, breaks: Break
) -> None:
    """The server stays away, so nobody knows at first whether there was a commit."""
    monkeypatch.setattr("auditd.store.writer.PATIENCE_SECONDS", 0.0)
    alert, later = an_alert(), START + timedelta(minutes=1)
    async with opened_at(url, clock) as store:
        await store.record_poll(a_snapshot(), [alert], [fired(alert)], [])
        wire.breaks, wire.stays_cut = breaks, True
        results = await asyncio.gather(
            _owe(store, "d1"),
            store.record_poll(a_snapshot(user="y"), [], [], []),
            store.record_poll(a_snapshot("q"), [], [], []),
            return_exceptions=True,
        )
        assert {type(result) for result in results} == {StoreWriteError}
        assert store.fault is StoreFault.UNREACHABLE
        with pytest.raises(StoreWriteError):
            await _owe(store, "d2")
        wire.is_cut = wire.stays_cut = False
        # As it was before: not what is stored, if there was a commit.
        await store.record_poll(a_snapshot(at=later), [alert], [], [])
        await _owe(store, "d3")
        await store.save()
        state = await store.load()
        assert [delivery.id for delivery in state.pending] == ["d3"]
        assert state.snapshot_of(a_project()) == a_snapshot(at=later)
        assert len(state.alerts["payments"]) == 1
        listed = [entry.listed for entry in await store.history("payments") if entry.listed]
        assert listed[0].repo_user == "x"
    async with opened_at(url, clock) as store:
        assert await store.load() == state


async def test_a_wire_that_breaks_again_and_again_leaves_all_or_nothing(
    url: str, wire: Wire, clock: Clock
) -> None:
    owed: set[str] = set()
    async with opened_at(url, clock) as store:
        for number in range(20):
            wire.breaks = (None, Break.BEFORE, Break.AFTER)[number % 3]
            delivery_id, key = f"d{number}", f"g{number}"
            with suppress(StoreError):
                await store.record_flush(a_group(key, "f"), a_delivery(delivery_id, key))
                owed.add(delivery_id)
            wire.breaks = None
        assert {delivery.id for delivery in (await store.load()).pending} == owed
    assert {number % 3 for number in map(int, (each[1:] for each in owed))} == {0, 2}


async def test_a_daemon_that_lost_its_server_to_another_waits_for_its_end(
    url: str, wire: Wire, postgres: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.store.writer.PATIENCE_SECONDS", 0.0)
    async with opened_at(url, clock) as store:
        wire.breaks, wire.stays_cut = Break.BEFORE, True
        with pytest.raises(StoreWriteError):
            await _owe(store, "d1")
        async with opened_at(postgres, clock):
            wire.is_cut = wire.stays_cut = False
            with pytest.raises(StoreWriteError, match="another program holds it"):
                await _owe(store, "d1")
            assert store.fault is StoreFault.BUSY
            with pytest.raises(StoreReadError, match="another program holds it"):
                await store.load()
        await _owe(store, "d1")
        assert store.is_writable
