"""The whole state in another database, or nothing of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom

import psycopg
import pytest
from sqlalchemy import Connection, insert, make_url, update

from auditd.alerting.delivery import DeliveryState
from auditd.store import copy
from auditd.store.copy import Copy, CopyRefusedError, CopyUnverifiedError, copy_state
from auditd.store.copy_end import opened_target
from auditd.store.errors import (
    StoreFault,
    StoreHeldError,
    StoreReadError,
    StoreUnavailableError,
    StoreWriteError,
)
from auditd.store.preparation import OpeningKind
from auditd.store.reader import StateAbsentError, open_reader
from auditd.store.schema import CHANGES, DISCOVERIES, METADATA, REVISION
from auditd.store.state import StoredState
from auditd.store.store import Store
from tests.unit.store.examples import (
    START,
    Clock,
    a_delivery,
    a_group,
    a_silence,
    a_snapshot,
    an_acknowledgement,
    an_alert,
    an_authorization,
    failed,
    fired,
    opened_at,
    query,
    settled,
)
from tests.unit.store.wire import Break, Wire

LONG = "ops:" + "x" * 600
"""A key that PostgreSQL has only the digest of."""
FAR = timedelta(days=500)
CHILD = Path(__file__).with_name("copy_child.py")
KILLS = 4
STEPS = 24
"""Chunks that are copied or looked through, and some."""


def nowhere(_done: int, _total: int) -> None:
    """Nobody watches."""


async def fill(url: str, clock: Clock) -> None:
    """Something in every table, and a trail and a history that have lost their beginnings."""
    async with opened_at(url, clock) as store:
        old = clock()
        await store.switch_off("chat", "it answered 410")
        await store.record_poll(a_snapshot("gone", old), [an_alert("gone")], [], [])
        await store.forget_project("gone")
        clock.move(FAR)
        await store.prune()
        alert = an_alert(at=clock())
        snapshot = a_snapshot(at=clock(), user='"grüße" \\ 授权 \u2028')
        await store.record_poll(snapshot, [alert], [fired(alert)], [])
        await store.record_poll(failed(snapshot, clock()), [alert], [], [])
        await store.record_flush(a_group(LONG, alert.fingerprint), a_delivery("d1", LONG))
        await store.record_flush(a_group("ops:{}"), a_delivery("d2"))
        await store.settle(settled(a_delivery("d2"), DeliveryState.DELIVERED, clock()))
        await store.put_silence(replace(a_silence(), ends_at=clock() + FAR))
        await store.acknowledge(an_acknowledgement(alert))
        await _add_many(store, clock)
        await store._write(_add_what_replicas_leave)


def _add_what_replicas_leave(connection: Connection) -> None:
    connection.execute(insert(CHANGES), {"kind": "x", "key": "big", "number": 7})
    connection.execute(insert(DISCOVERIES), {"source": "iam of prod", "body": "[]"})
    connection.execute(update(REVISION).values(number=9))


async def _add_many(store: Store, clock: Clock) -> None:
    """More than a chunk."""
    many = {f"a{number}": an_authorization(f"a{number}") for number in range(300)}
    for project in ("big", "bigger"):
        snapshot = replace(a_snapshot(project, clock()), authorizations=many)
        await store.record_poll(snapshot, [], [], [])


def all_of(url: str) -> tuple[object, ...]:
    """Everything that can be asked of a state."""
    with open_reader(url) as reader:
        return (
            reader.state(),
            reader.deliveries(limit=10**6),
            [*reader.export()],
            [*reader.history(START)],
            reader.verify(),
        )


def a_copy(source: str, target: str) -> Copy:
    return copy_state(source, target, nowhere)


@pytest.fixture(params=["to a server", "to a file", "back"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where the state is, and where it goes."""
    one, other = (f"sqlite:///{tmp_path / name / 'state.db'}" for name in ("one", "other"))
    if request.param == "to a file":
        return one, other
    server: str = request.getfixturevalue("postgres")
    return (one, server) if request.param == "to a server" else (server, other)


@pytest.fixture
async def filled(ends: tuple[str, str], clock: Clock) -> tuple[str, str]:
    await fill(ends[0], clock)
    return ends


def test_what_is_left_behind_is_there() -> None:
    assert METADATA.tables.keys() >= copy.LEFT_BEHIND


def test_all_of_a_state_is_copied_and_the_source_is_left_as_it_was(
    filled: tuple[str, str], clock: Clock
) -> None:
    source, target = filled
    before = all_of(source)
    steps: list[tuple[int, int]] = []
    made = copy_state(source, target, lambda done, total: steps.append((done, total)))
    assert all_of(target) == before == all_of(source)
    assert not made.was_there
    assert made.rows["history"] > 600
    assert all(made.rows.values()), made.rows
    assert steps[-1][0] == steps[-1][1] > 2 * sum(made.rows.values())
    assert steps == sorted(steps)


async def test_a_daemon_goes_on_from_the_copy(filled: tuple[str, str], clock: Clock) -> None:
    source, target = filled
    a_copy(source, target)
    async with opened_at(target, clock) as store:
        state = await store.load()
        assert {*state.groups} == {LONG}
        (pending,) = state.pending
        await store.settle(settled(pending, DeliveryState.DELIVERED, clock()))
        # New rows are numbered after those that were copied, and the long key is still known.
        await store.record_flush(a_group(LONG, "f"), a_delivery("d3", LONG))
        assert [each.id for each in await store.deliveries()] == ["d3", "d2", "d1"]
        assert {*(await store.load()).groups} == {LONG}
        await store.record_poll(a_snapshot("new", clock()), [], [], [])
        assert (await store.verify()).ok


def test_done_again_it_finds_that_all_is_there(filled: tuple[str, str]) -> None:
    first, again = a_copy(*filled), a_copy(*filled)
    assert again == replace(first, was_there=True)


async def test_a_target_that_holds_something_else_is_refused_and_left_alone(
    filled: tuple[str, str], clock: Clock
) -> None:
    source, target = filled
    async with opened_at(target, clock) as store:
        await store.switch_off("ops", "x")
    before = all_of(target)
    with pytest.raises(CopyRefusedError, match=r"holds another state than .* name an empty"):
        a_copy(source, target)
    assert all_of(target) == before


async def test_a_copy_that_went_on_is_not_taken_for_one(
    filled: tuple[str, str], clock: Clock
) -> None:
    source, target = filled
    a_copy(source, target)
    async with opened_at(target, clock) as store:
        await store.record_poll(a_snapshot(at=clock.move(timedelta(hours=1))), [], [], [])
    with pytest.raises(CopyRefusedError):
        a_copy(source, target)


async def test_an_end_that_a_daemon_has_is_refused(filled: tuple[str, str], clock: Clock) -> None:
    source, target = filled
    for held_end in filled:
        async with opened_at(held_end, clock):
            with pytest.raises(StoreHeldError, match="is held by"):
                await asyncio.to_thread(a_copy, source, target)
    async with opened_at(target, clock) as store:
        assert store.opening.kind is OpeningKind.OPENED
        assert await store.load() == StoredState()


@pytest.mark.timeout(60)
def test_killed_at_any_point_there_is_nothing_or_all_and_the_next_run_has_all(
    filled: tuple[str, str],
) -> None:
    source, target = filled
    random = SystemRandom()
    for _ in range(KILLS):
        command = [sys.executable, str(CHILD), source, target]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout
            for _ in range(random.randint(1, STEPS)):
                child.stdout.readline()
            child.kill()
        assert _holds(target) in {"nothing", "all"}
    a_copy(source, target)
    assert all_of(target) == all_of(source)


def _holds(url: str) -> str:
    try:
        with open_reader(url) as reader:
            names = [*reader.state().snapshots]
    except StateAbsentError:
        return "nothing"
    return {(): "nothing", ("big", "bigger", "payments"): "all"}[tuple(names)]


def test_a_damaged_source_is_refused(file: Path, target: str) -> None:
    query(file, "UPDATE snapshots SET body = '{' WHERE project = 'big'")
    with pytest.raises(StoreReadError) as refusal:
        a_copy(f"sqlite:///{file}", target)
    assert refusal.value.reason is StoreFault.DAMAGED


def test_a_settled_delivery_that_cannot_be_read_is_damage_too(file: Path, target: str) -> None:
    query(file, "UPDATE deliveries SET notification = '{' WHERE id = 'd2'")
    with pytest.raises(StoreReadError) as refusal:
        a_copy(f"sqlite:///{file}", target)
    assert refusal.value.reason is StoreFault.DAMAGED
    assert not query(_path(target), "SELECT 1 FROM snapshots")


def test_a_trail_that_is_not_what_was_entered_is_not_carried_on(file: Path, target: str) -> None:
    query(file, "UPDATE trail SET subject = 'else' WHERE seq = (SELECT max(seq) FROM trail)")
    with pytest.raises(CopyUnverifiedError, match=r"nothing was copied, because entry .* hash"):
        a_copy(f"sqlite:///{file}", target)
    assert not query(_path(target), "SELECT 1 FROM snapshots")


def test_what_the_target_makes_something_else_of_is_not_kept(file: Path, target: str) -> None:
    with pytest.raises(StateAbsentError), open_reader(target):
        pass
    _make(target)
    query(
        _path(target),
        "CREATE TRIGGER lossy AFTER INSERT ON history BEGIN"
        " UPDATE history SET kind = 'x' WHERE seq = new.seq; END",
    )
    with pytest.raises(CopyUnverifiedError, match="table history is not what"):
        a_copy(f"sqlite:///{file}", target)
    assert not query(_path(target), "SELECT 1 FROM snapshots")


def test_a_full_disk_is_told(file: Path, target: str) -> None:
    _make(target)
    query(
        _path(target),
        "CREATE TRIGGER full BEFORE INSERT ON history BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    with pytest.raises(StoreWriteError, match="cannot be written"):
        a_copy(f"sqlite:///{file}", target)


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path, target: str) -> None:
    with pytest.raises(StateAbsentError):
        a_copy(f"sqlite:///{tmp_path / 'absent.db'}", target)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE alembic_version SET version_num = '0999'", "newer release"),
        ("UPDATE alembic_version SET version_num = '0001'", "in use by an older release"),
        ("UPDATE alembic_version SET version_num = 'ab'", "in use by another program"),
        ("DROP TABLE alembic_version", "in use by another program"),
    ],
)
def test_a_target_of_another_schema_is_refused(
    file: Path, target: str, statement: str, said: str
) -> None:
    _make(target)
    query(_path(target), statement)
    with pytest.raises(StoreUnavailableError, match=said):
        a_copy(f"sqlite:///{file}", target)


def test_a_source_of_another_release_is_refused(file: Path, target: str) -> None:
    query(file, "UPDATE alembic_version SET version_num = '0002'")
    with pytest.raises(StoreUnavailableError, match="older release; start the daemon"):
        a_copy(f"sqlite:///{file}", target)


async def test_a_server_of_another_schema_is_refused_and_left_alone(
    postgres: str, file: Path, clock: Clock
) -> None:
    async with opened_at(postgres, clock):
        pass
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
        with pytest.raises(StoreUnavailableError, match="in use by an older release"):
            a_copy(f"sqlite:///{file}", postgres)
        stored = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert stored == [("0002",)]


def test_a_server_that_is_not_there_is_told(file: Path) -> None:
    with pytest.raises(StoreUnavailableError, match="must run, be reachable"):
        a_copy(f"sqlite:///{file}", "postgresql://auditd:hunter2@127.0.0.1:1/x")


@pytest.mark.parametrize("breaks", Break)
def test_a_commit_that_nobody_answered_is_settled_by_the_next_run(
    postgres: str, file: Path, breaks: Break
) -> None:
    url = make_url(postgres)
    assert url.port
    with closing(Wire(url.port)) as wire:
        through = url.set(port=wire.port).render_as_string(hide_password=False)
        a_copy_under_way = partial(_breaking, wire, breaks)
        with pytest.raises(StoreWriteError, match="the server is away"):
            copy_state(f"sqlite:///{file}", through, a_copy_under_way)
    made = a_copy(f"sqlite:///{file}", postgres)
    assert made.was_there is (breaks is Break.AFTER)
    assert all_of(postgres) == all_of(f"sqlite:///{file}")


def _breaking(wire: Wire, breaks: Break, done: int, total: int) -> None:
    if done == total:
        wire.breaks = breaks


@pytest.fixture
async def file(tmp_path: Path, clock: Clock) -> Path:
    """A state in a file."""
    file = tmp_path / "source" / "state.db"
    await fill(f"sqlite:///{file}", clock)
    return file


@pytest.fixture
def target(tmp_path: Path) -> str:
    """A file that is not there."""
    return f"sqlite:///{tmp_path / 'target' / 'state.db'}"


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _make(url: str) -> None:
    """An empty state."""
    with opened_target(url):
        pass
