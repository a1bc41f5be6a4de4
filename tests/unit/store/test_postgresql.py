"""What is different when the state is on a server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import Connection, make_url
from sqlalchemy.exc import DBAPIError

from auditd.store.errors import (
    StoreFault,
    StoreHeldError,
    StoreReadError,
    StoreUnavailableError,
    StoreWriteError,
)
from auditd.store.holder import holding
from auditd.store.migration import HEAD
from auditd.store.opening import open_store
from auditd.store.postgresql import PostgresqlBacking, fault_of, place_of
from auditd.store.preparation import OpeningKind
from auditd.store.reader import Reader, StateAbsentError, open_reader
from auditd.store.server import prepare_server
from auditd.store.sqlite import sqlite_path
from auditd.store.store import Store
from tests.unit.store.examples import (
    RETENTION,
    Clock,
    a_delivery,
    a_group,
    a_snapshot,
    an_alert,
    fired,
    lines_of,
    opened_at,
)

WITHOUT_THE_DRIVER = """
import sys
sys.modules["psycopg"] = None
from sqlalchemy import make_url
from auditd.store.postgresql import PostgresqlBacking
try:
    PostgresqlBacking(make_url(sys.argv[1]), is_exclusive=True)
except Exception as error:
    print(type(error).__name__, error)
"""


@contextmanager
def administering(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


async def refused(url: str, clock: Clock) -> str:
    with pytest.raises(StoreUnavailableError) as refusal:
        async with opened_at(url, clock):
            pass
    assert "hunter2" not in str(refusal.value)
    return str(refusal.value)


def test_without_the_driver_it_says_how_to_get_it() -> None:
    url = "postgresql://auditd:hunter2@db/state"
    command = [sys.executable, "-c", WITHOUT_THE_DRIVER, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.startswith("StoreUnavailableError state in PostgreSQL on db, database state needs")
    assert "pip install 'servicestage-auditd[postgres]'" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://me:pw@db:5433/state", "PostgreSQL on db, port 5433, database state"),
        ("postgres://db/state", "PostgreSQL on db, database state"),
        ("postgresql:///state?host=/run/pg", "PostgreSQL on /run/pg, database state"),
        ("postgresql:///x?host=a&host=b", "PostgreSQL on a,b, database x"),
        ("postgresql://me:pw@/?x=pw", "PostgreSQL on this machine, database me"),
        ("postgresql:///?password=pw", "PostgreSQL on this machine, database of this user"),
    ],
)
def test_a_place_is_told_without_a_secret(url: str, place: str) -> None:
    assert place_of(make_url(url)) == place


async def test_a_server_that_is_not_there_is_told(clock: Clock) -> None:
    said = await refused("postgresql://auditd:hunter2@127.0.0.1:1/state", clock)
    assert said.startswith("cannot open the state in PostgreSQL on 127.0.0.1, port 1, database")
    assert "refused" in said
    assert "must run, be reachable" in said


async def test_a_user_or_database_that_is_not_let_in_is_told(postgres: str, clock: Clock) -> None:
    url = make_url(postgres)
    wrong = url.set(password="hunter23", username="nobody").render_as_string(hide_password=False)
    assert 'failed for user "nobody"' in await refused(wrong, clock)
    absent = url.set(database="absent").render_as_string(hide_password=False)
    assert 'database "absent" does not exist' in await refused(absent, clock)


async def test_an_option_that_is_none_is_told(clock: Clock) -> None:
    said = await refused("postgresql://auditd:hunter2@127.0.0.1:1/x?colour=red", clock)
    assert 'invalid connection option "colour"' in said


async def test_one_process_at_a_time_has_it(postgres: str, clock: Clock) -> None:
    assert not holding(postgres).is_held
    async with opened_at(postgres, clock) as store:
        with pytest.raises(StoreHeldError, match="is held by another process"):
            async with opened_at(postgres, clock):
                pass
        assert (await asyncio.to_thread(holding, postgres)).is_held
        await store.record_poll(a_snapshot(), [], [], [])
    assert not holding(postgres).is_held
    async with opened_at(postgres, clock) as store:
        assert store.opening.kind is OpeningKind.OPENED


async def test_who_has_a_server_that_is_away_is_not_known() -> None:
    with pytest.raises(StoreUnavailableError, match="must run, be reachable"):
        holding("postgresql://auditd:hunter2@127.0.0.1:1/state")


async def test_daemons_share_a_database_in_schemas_of_their_own(
    postgres: str, clock: Clock
) -> None:
    with administering(postgres) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS other")
    async with (
        opened_at(postgres, clock) as one,
        opened_at(f"{postgres}?options=-csearch_path%3Dother", clock) as other,
    ):
        await one.switch_off("ops", "x")
        assert await other.trail() == ()
        assert len(await one.trail()) == 1
    with administering(postgres) as connection:
        connection.execute("DROP SCHEMA other CASCADE")


def test_of_many_that_start_at_once_one_makes_the_tables(postgres: str) -> None:
    def start(_: int) -> OpeningKind:
        backing = PostgresqlBacking(make_url(postgres), is_exclusive=False)
        opening, _state = prepare_server(backing)
        backing.writes.dispose()
        return opening.kind

    with ThreadPoolExecutor(4) as pool:
        kinds = sorted(pool.map(start, range(4)))
    assert kinds == [OpeningKind.NEW, *[OpeningKind.OPENED] * 3]


async def test_an_older_schema_is_brought_up_to_ours(postgres: str, clock: Clock) -> None:
    async with opened_at(postgres, clock) as store:
        await store.record_poll(a_snapshot(), [], [], [])
        past = await store.history("payments")
    with administering(postgres) as connection:
        connection.execute(
            "UPDATE snapshots SET body = body::jsonb || jsonb_build_object('authorizations',"
            """ (SELECT jsonb_object_agg("authorization", body::jsonb -> 'listed')"""
            " FROM history WHERE aspect = 'list'))"
        )
        connection.execute("DROP TABLE history, commits")
        connection.execute("DROP TABLE revision, changes, replicas, claims, discoveries, keys")
        connection.execute("ALTER TABLE polls DROP COLUMN number")
        connection.execute("ALTER TABLE deliveries DROP COLUMN owner, DROP COLUMN tried")
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
    async with opened_at(postgres, clock) as store:
        assert store.opening.kind is OpeningKind.OPENED
        assert await store.history("payments") == past


async def test_a_migration_that_fails_leaves_all_as_it_was(postgres: str, clock: Clock) -> None:
    async with opened_at(postgres, clock):
        pass
    with administering(postgres) as connection:
        connection.execute("DROP TABLE commits")
        connection.execute("UPDATE alembic_version SET version_num = '0002'")
    assert 'relation "history" already exists' in await refused(postgres, clock)
    with administering(postgres) as connection:
        stored = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert stored == [("0002",)]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE alembic_version SET version_num = '0999'", "newer release"),
        ("UPDATE alembic_version SET version_num = 'x'", "is not what this program wrote"),
        ("DELETE FROM trail_ends", "is not what this program wrote"),
        ("UPDATE snapshots SET body = '{'", "is not what this program wrote"),
        ("DROP TABLE snapshots CASCADE", 'relation "snapshots" does not exist'),
    ],
)
async def test_what_this_release_cannot_read_is_refused_and_left_alone(
    postgres: str, clock: Clock, damage: str, said: str
) -> None:
    async with opened_at(postgres, clock) as store:
        await store.record_poll(a_snapshot(), [], [], [])
    with administering(postgres) as connection:
        connection.execute(damage)
    assert said in await refused(postgres, clock)
    assert not holding(postgres).is_held


async def test_a_database_that_cannot_hold_every_text_is_refused(
    postgres: str, clock: Clock
) -> None:
    with administering(postgres) as connection:
        connection.execute("DROP DATABASE IF EXISTS ascii")
        connection.execute(
            "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0"
            " LOCALE_PROVIDER libc LOCALE 'C'"
        )
    url = make_url(postgres).set(database="ascii").render_as_string(hide_password=False)
    assert "create one with ENCODING 'UTF8'" in await refused(url, clock)


async def test_a_commit_is_on_the_disk_whatever_the_server_is_told(
    postgres: str, clock: Clock
) -> None:
    with administering(postgres) as connection:
        connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    try:
        async with opened_at(postgres, clock) as store:
            assert await _setting(store, "synchronous_commit") == "on"
            assert await _setting(store, "statement_timeout") == "30s"
    finally:
        with administering(postgres) as connection:
            connection.execute("ALTER ROLE CURRENT_USER RESET synchronous_commit")


async def _setting(store: Store, name: str) -> object:
    def read(connection: Connection) -> object:
        return connection.exec_driver_sql(f"SHOW {name}").scalar_one()

    return await store._database.read(read)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("53100", StoreFault.FULL),
        ("53300", StoreFault.BUSY),
        ("25006", StoreFault.READ_ONLY),
        ("42501", StoreFault.READ_ONLY),
        ("58030", StoreFault.IO),
        ("XX001", StoreFault.DAMAGED),
        ("40P01", StoreFault.BUSY),
        ("55P03", StoreFault.BUSY),
        ("57014", StoreFault.BUSY),
        ("57P03", StoreFault.UNREACHABLE),
        ("08006", StoreFault.UNREACHABLE),
        ("42601", StoreFault.INTERNAL),
        ("XX000", StoreFault.INTERNAL),
    ],
)
async def test_faults_of_the_server_have_a_name(
    postgres: str, clock: Clock, code: str, fault: StoreFault
) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION SQLSTATE '{code}'; END $$")

    async with opened_at(postgres, clock) as store:
        with pytest.raises(StoreWriteError) as failure:
            await store._write(fail)
        assert (failure.value.reason, store.fault) == (fault, fault)
        with pytest.raises(StoreReadError) as refusal:
            await store._read(fail)
        assert refusal.value.reason is fault
        await store.save()
        assert store.is_writable


def test_an_error_of_nobody_knows_whom_is_internal() -> None:
    assert fault_of(None) is StoreFault.INTERNAL
    assert fault_of(psycopg.DataError()) is StoreFault.INTERNAL
    assert fault_of(psycopg.OperationalError()) is StoreFault.UNREACHABLE


async def test_a_reader_reads_what_the_store_reads_while_it_is_held(
    postgres: str, clock: Clock
) -> None:
    def read(url: str) -> tuple[object, ...]:
        with open_reader(url) as reader:
            reader.require_sound()
            past = [*reader.history(clock())]
            return reader.state(), reader.trail(), reader.verify(), [*reader.export()], past

    alert = an_alert()
    async with opened_at(postgres, clock) as store:
        await store.record_poll(a_snapshot(), [alert], [fired(alert)], [a_group("k", "f")])
        await store.record_flush(a_group("k", "f"), a_delivery("d1", "k"))
        state, trail, verdict, lines, past = await asyncio.to_thread(read, postgres)
        assert (state, trail) == (await store.load(), await store.trail())
        assert verdict == await store.verify()
        assert lines == await lines_of(store.export())
        assert past == [*reversed(await store.history("payments"))]


def test_a_reader_can_write_nothing_and_makes_nothing(postgres: str, clock: Clock) -> None:
    said = "there is no state in PostgreSQL on"
    with pytest.raises(StateAbsentError, match=said), open_reader(postgres):
        pass

    async def make() -> None:
        async with opened_at(postgres, clock):
            pass

    asyncio.run(make())

    def write(reader: Reader) -> None:
        reader._read(lambda connection: connection.exec_driver_sql("DELETE FROM trail"))

    with open_reader(postgres) as reader, pytest.raises(StoreReadError) as refusal:
        write(reader)
    assert refusal.value.reason is StoreFault.READ_ONLY
    with administering(postgres) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    said = "start the daemon, which migrates it"
    with pytest.raises(StoreUnavailableError, match=said), open_reader(postgres):
        pass


def test_a_reader_of_a_server_that_is_away_says_so() -> None:
    url = "postgresql://auditd:hunter2@127.0.0.1:1/state"
    with pytest.raises(StoreReadError, match="is away or") as refusal, open_reader(url):
        pass
    assert "hunter2" not in str(refusal.value)


def test_the_newest_schema_is_noted(postgres: str) -> None:
    backing = PostgresqlBacking(make_url(postgres), is_exclusive=False)
    prepare_server(backing)
    with backing.reads.connect() as connection:
        query = "SELECT version_num FROM alembic_version"
        assert connection.exec_driver_sql(query).scalar_one() == HEAD
        with pytest.raises(DBAPIError, match="read-only transaction"):
            connection.exec_driver_sql("DELETE FROM alembic_version")
    backing.writes.dispose()


async def test_a_backup_is_left_to_the_server(postgres: str, clock: Clock) -> None:
    async with open_store(
        postgres, now=clock, retention=RETENTION, backup_every=RETENTION * 0
    ) as store:
        await store.backup()
        await store.back_up_if_due()


def test_a_url_of_another_database_is_refused_without_repeating_it() -> None:
    with pytest.raises(StoreUnavailableError, match="must be sqlite:// and a path") as refusal:
        sqlite_path("postgresql+asyncpg://auditd:hunter2@db/x")
    assert "hunter2" not in str(refusal.value)
