from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.exc import OperationalError

from auditd.alerting.delivery import DeliveryState
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.store.errors import StoreFault, StoreReadError, StoreUnavailableError
from auditd.store.opening import open_store
from auditd.store.reader import Reader, StateAbsentError, open_reader
from auditd.store.state import StoredState
from auditd.store.store import Store
from auditd.store.trail import TrailEvent, TrailKind, append
from tests.unit.store.examples import (
    RETENTION,
    START,
    Clock,
    a_delivery,
    a_group,
    a_silence,
    a_snapshot,
    an_alert,
    an_authorization,
    fired,
    lines_of,
    opened,
    settled,
)

_T = TypeVar("_T")


def read(path: Path, work: Callable[[Reader], _T]) -> _T:
    with open_reader(f"sqlite:///{path}") as reader:
        return work(reader)


async def read_beside(path: Path, work: Callable[[Reader], _T]) -> _T:
    """Read in a thread, as another process would."""
    return await asyncio.to_thread(read, path, work)


async def fill(store: Store) -> None:
    alert = an_alert()
    await store.record_poll(a_snapshot(), [alert], [fired(alert)], [a_group("ops:{}", "f")])
    await store.record_flush(a_group("ops:{}", "f"), a_delivery("d1"))
    await store.settle(settled(a_delivery("d1"), DeliveryState.DEAD))
    await store.record_flush(a_group("ops:{}", "f"), a_delivery("d2"))
    await store.put_silence(a_silence())
    await store.switch_off("pager", "410")


@pytest.fixture
def closed(path: Path, clock: Clock) -> Path:
    """The path of a state that nobody holds."""

    async def make() -> None:
        async with opened(path, clock) as store:
            await fill(store)

    asyncio.run(make())
    return path


async def test_it_reads_what_the_store_reads_while_the_store_is_held(
    store: Store, path: Path
) -> None:
    await fill(store)
    assert await read_beside(path, Reader.state) == await store.load()
    assert await read_beside(path, Reader.deliveries) == await store.deliveries()
    assert await read_beside(path, Reader.switched_off) == {"pager": "410"}
    assert await read_beside(path, Reader.trail) == await store.trail()
    assert await read_beside(path, Reader.verify) == await store.verify()
    exported = await read_beside(path, lambda reader: list(reader.export()))
    assert exported == await lines_of(store.export())


def test_it_finds_one_delivery(closed: Path) -> None:
    found = read(closed, lambda reader: reader.delivery("d1"))
    assert found == settled(a_delivery("d1"), DeliveryState.DEAD)
    assert read(closed, lambda reader: reader.delivery("nothing")) is None


def test_it_chooses_among_deliveries_and_entries(closed: Path) -> None:
    older = read(closed, lambda reader: reader.deliveries(before="d2"))
    dead = read(closed, lambda reader: reader.deliveries(state=DeliveryState.DEAD))
    assert [delivery.id for delivery in older] == [delivery.id for delivery in dead] == ["d1"]
    entries = read(closed, lambda reader: reader.trail(kind=TrailKind.SILENCE_SET))
    assert [entry.subject for entry in entries] == ["s1"]


def test_it_counts_deliveries_by_hook_and_state(closed: Path) -> None:
    assert read(closed, Reader.delivery_counts) == {
        ("ops", DeliveryState.DEAD): 1,
        ("ops", DeliveryState.PENDING): 1,
    }


async def test_it_sees_what_is_written_while_it_is_open(store: Store, path: Path) -> None:
    loop = asyncio.get_running_loop()

    def look(reader: Reader) -> tuple[int, int]:
        before = len(reader.deliveries())
        asyncio.run_coroutine_threadsafe(fill(store), loop).result()
        return before, len(reader.deliveries())

    assert await read_beside(path, look) == (0, 2)


def test_a_store_opens_soundly_beside_a_reader(closed: Path, clock: Clock) -> None:
    async def load() -> tuple[str, StoredState]:
        async with opened(closed, clock) as store:
            return store.opening.kind, await store.load()

    state, found = read(closed, lambda reader: (reader.state(), asyncio.run(load())))
    assert found == ("opened", state)


async def test_it_leaves_the_write_ahead_log_alone(store: Store, path: Path) -> None:
    await fill(store)
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size
    assert size
    await read_beside(path, Reader.verify)
    assert log.stat().st_size == size


def test_it_can_write_nothing(closed: Path) -> None:
    def write(reader: Reader) -> None:
        with reader._backing.writes.connect() as connection:
            connection.exec_driver_sql("DELETE FROM trail")

    with pytest.raises(OperationalError, match="readonly database"):
        read(closed, write)


async def test_it_tells_the_past_from_any_instant_on(
    store: Store, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.store.history.CHUNK", 3)
    hour = timedelta(hours=1)
    instants = [START + number * hour for number in range(4)]
    listed = [{"a"}, {"a", "b"}, {"b"}, {"b", "c"}]
    for number, (at, names) in enumerate(zip(instants, listed, strict=True)):
        lists = {name: replace(an_authorization(), name=name, tag=str(number)) for name in names}
        await store.record_poll(replace(a_snapshot(at=at), authorizations=lists), [], [], [])
        await store.record_poll(replace(a_snapshot("q", at=at), findings=()), [], [], [])
    whole = await read_beside(path, partial(_past, since=START))
    assert [entry.seq for entry in whole] == sorted(entry.seq for entry in whole)
    assert len(whole) == len(await store.history("payments")) + 1
    for number, (at, names) in enumerate(zip(instants, listed, strict=True)):
        told = await read_beside(path, partial(_past, since=at))
        state = {}
        for entry in told:
            if entry.at <= at and entry.project == "payments" and entry.listed:
                is_over = entry.kind is HistoryKind.AUTHORIZATION_REMOVED
                state[entry.authorization] = None if is_over else entry.listed.tag
        assert {name: tag for name, tag in state.items() if tag} == dict.fromkeys(
            names, str(number)
        )
        assert [entry for entry in told if entry.at >= at] == [
            entry for entry in whole if entry.at >= at
        ]
        assert [entry.project for entry in told].count("q") == 1


def _past(reader: Reader, since: datetime) -> list[HistoryEntry]:
    return list(reader.history(since))


def test_a_flipped_byte_of_the_trail_is_named(closed: Path) -> None:
    with closing(sqlite3.connect(closed)) as connection, connection:
        connection.execute("UPDATE trail SET subject = 'x' || subject WHERE seq = 2")
    verdict = read(closed, Reader.verify)
    assert (verdict.ok, verdict.first_bad_seq) == (False, 2)


async def test_the_export_has_every_entry(store: Store, path: Path) -> None:
    count = 1_100  # more than two chunks
    event = TrailEvent(Clock()(), TrailKind.CONFIG_LOADED, "auditd.yaml")
    await store._write(lambda connection: append(connection, [event] * count))
    lines = await read_beside(path, lambda reader: list(reader.export()))
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, count + 1))
    assert (await read_beside(path, Reader.verify)).checked == count


def test_a_state_that_is_not_there_is_not_made(path: Path) -> None:
    with pytest.raises(StateAbsentError, match="there is no state in"):
        read(path, Reader.state)
    assert list(path.parent.iterdir()) == []


def test_an_empty_file_is_no_state_yet(path: Path) -> None:
    path.touch()
    with pytest.raises(StateAbsentError):
        read(path, Reader.state)


@pytest.mark.parametrize("name", ["with space.db", "100%.db", "a#b.db", "数据.db"])
async def test_any_name_of_a_file_will_do(tmp_path: Path, clock: Clock, name: str) -> None:
    async with open_store(f"sqlite:///{tmp_path / name}", now=clock, retention=RETENTION) as store:
        await fill(store)
    assert await read_beside(tmp_path / name, lambda reader: reader.delivery("d1"))


def test_a_damaged_file_is_told(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + os.urandom(8192))
    with pytest.raises(StoreReadError, match="is damaged") as caught:
        read(path, Reader.state)
    assert caught.value.reason is StoreFault.DAMAGED


def test_damage_anywhere_is_found_when_it_is_looked_for(closed: Path) -> None:
    read(closed, Reader.require_sound)
    size = closed.stat().st_size
    with closed.open("r+b") as file:
        file.seek(size - 4096)
        file.write(os.urandom(4096))
    with pytest.raises(StoreReadError, match="is damaged"):
        read(closed, Reader.require_sound)


def test_a_row_that_is_not_ours_is_damage(closed: Path) -> None:
    with closing(sqlite3.connect(closed)) as connection, connection:
        connection.execute("UPDATE deliveries SET notification = '{}'")
    with pytest.raises(StoreReadError, match="is damaged"):
        read(closed, Reader.deliveries)


@pytest.mark.parametrize(
    ("revision", "said"), [("0001", "start the daemon, which migrates it"), ("9999", "newer")]
)
def test_a_state_of_another_release_is_not_read(closed: Path, revision: str, said: str) -> None:
    with closing(sqlite3.connect(closed)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    with pytest.raises(StoreUnavailableError, match=said):
        read(closed, Reader.state)


def test_a_file_of_another_user_needs_that_user(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, who may run this, reads anything
    with pytest.raises(StoreUnavailableError, match="run this as the user of the daemon"):
        read(closed, Reader.state)


def test_a_path_through_a_file_is_told(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreUnavailableError, match="cannot open the state"):
        read(path / "state.db", Reader.state)
