from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Dialect, Engine, create_engine, insert, make_url, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from auditd.audit.history import changes
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store import history, outbox
from auditd.store.codec import encode
from auditd.store.columns import Instant, instant_text
from auditd.store.migration import HEAD, upgrade
from auditd.store.poll import Poll
from auditd.store.schema import ALERTS, DELIVERIES, METADATA, SNAPSHOTS, SWITCHED_OFF
from auditd.store.sheet import write_times
from auditd.store.state import read_snapshots
from auditd.store.upsert import upsert
from tests.unit.store.examples import START, a_delivery, a_notification, a_snapshot, failed

DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"])
DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg"}
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # of SQLAlchemy


@DATABASES
def test_the_migrations_make_exactly_the_tables_of_the_schema(
    database: str, request: pytest.FixtureRequest
) -> None:
    engine = _engine(database, request)
    with engine.begin() as connection:
        upgrade(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": _differ})
        differences = compare_metadata(context, METADATA)
    engine.dispose()
    assert differences == []


@DATABASES
def test_of_a_delivery_that_was_tried_before_a_migration_nothing_is_listed(
    database: str, request: pytest.FixtureRequest
) -> None:
    engine = _engine(database, request)
    with engine.begin() as connection:
        upgrade(connection, "0004")
        connection.execute(
            text(
                "INSERT INTO deliveries (id, hook, group_key, state, attempts, created_at,"
                " next_at, last_error, notification)"
                " VALUES ('d1', 'ops', 'ops:{}', 'pending', 2, :at, :at, '503', :notification)"
            ),
            {"at": instant_text(START), "notification": encode(a_notification())},
        )
        upgrade(connection)
        found = outbox.find(connection, "d1")
    engine.dispose()
    assert found == replace(a_delivery(), attempts=2, last_error="503")


@DATABASES
def test_a_list_that_was_in_a_snapshot_is_what_stands_of_it(
    database: str, request: pytest.FixtureRequest
) -> None:
    known = failed(a_snapshot("listed"), START)
    never = failed(replace(a_snapshot("never"), authorizations=None, succeeded_at=None), START)
    engine = _engine(database, request)
    with engine.begin() as connection:
        upgrade(connection, "0006")
        for snapshot in (known, never):
            _record_as_0006(connection, snapshot)
        upgrade(connection)
        found = read_snapshots(connection)
    engine.dispose()
    assert [found[it.project.name].of(it.project) for it in (known, never)] == [known, never]


def _record_as_0006(connection: Connection, snapshot: ProjectSnapshot) -> None:
    body = {
        "failure": snapshot.failure,
        "failure_message": snapshot.failure_message,
        "authorizations": snapshot.authorizations,
        "findings": snapshot.findings,
        "stale_at": dict.fromkeys(snapshot.authorizations or (), START),
        "verifications": snapshot.verifications,
    }
    row = {"project": snapshot.project.name, "project_id": snapshot.project.project_id}
    connection.execute(insert(SNAPSHOTS), [{**row, "body": encode(body)}])
    poll = Poll(START, snapshot, (), (), ())
    write_times(connection, {poll.project: poll.times})
    history.add(connection, changes(None, snapshot))


def _engine(database: str, request: pytest.FixtureRequest) -> Engine:
    url = "sqlite://" if database == "sqlite" else request.getfixturevalue("postgres")
    return create_engine(make_url(url).set(drivername=f"{database}+{DRIVERS[database]}"))


def _differ(context: MigrationContext, *types: Any) -> bool:
    *_, migrated, ours = types
    dialect = context.dialect
    return bool(migrated.compile(dialect=dialect) != ours.compile(dialect=dialect))


def test_head_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "auditd.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


@pytest.mark.parametrize("table", METADATA.sorted_tables, ids=str)
def test_postgresql_knows_everything_in_the_schema(table: Any) -> None:
    dialect = POSTGRESQL
    assert str(CreateTable(table).compile(dialect=dialect))
    for index in table.indexes:
        assert str(CreateIndex(index).compile(dialect=dialect))


def test_one_pending_delivery_a_group_is_a_rule_of_postgresql_too() -> None:
    (index,) = (index for index in DELIVERIES.indexes if index.name == "deliveries_pending")
    text = str(CreateIndex(index).compile(dialect=POSTGRESQL))
    assert "UNIQUE" in text
    assert "WHERE state = 'pending'" in text


def test_rows_are_replaced_on_postgresql_too() -> None:
    class Recorder:
        dialect = POSTGRESQL
        statement = ""

        def exec_driver_sql(self, statement: str, rows: Any) -> None:
            self.statement = statement

    recorder: Any = Recorder()
    upsert(recorder, ALERTS, [{"project": "p", "fingerprint": "f", "body": "{}"}])
    assert "ON CONFLICT (project, fingerprint) DO UPDATE" in recorder.statement


def test_no_rows_are_no_statement(connection: Connection) -> None:
    upsert(connection, SWITCHED_OFF, [])
    assert not connection.in_transaction()


def test_a_row_replaces_the_one_with_its_key(connection: Connection) -> None:
    for reason in ("one", "two"):
        upsert(connection, SWITCHED_OFF, [{"hook": "ops", "reason": reason}])
    assert connection.execute(select(SWITCHED_OFF)).all() == [("ops", "two")]


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_instants_survive_and_their_texts_sort_as_they_do(one: datetime, other: datetime) -> None:
    texts = [instant_text(one), instant_text(other)]
    assert (texts[0] < texts[1]) == (one < other)
    assert Instant().process_result_value(texts[0], POSTGRESQL) == one


def test_an_instant_of_another_zone_is_stored_in_utc() -> None:
    at = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    assert instant_text(at) == "2026-01-01T00:00:00.000000Z"
