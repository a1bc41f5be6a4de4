from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import IntegrityError

from auditd.store.schema import CLAIMS
from auditd.store.statement import Statement

SLOT = datetime(2026, 6, 1, tzinfo=UTC)
TEXT = "2026-06-01T00:00:00.000000Z"
ENTER = Statement(lambda _: insert(CLAIMS), ("name", "slot"))
MOVE = Statement(lambda _: update(CLAIMS).where(CLAIMS.c.name == bindparam("of")), ("of", "slot"))


@pytest.mark.parametrize("count", [1, 2, 16, 50, 300])
def test_values_are_stored_as_the_columns_have_them(connection: Connection, count: int) -> None:
    """However often they are the same."""
    ENTER.run(connection, [(f"{number}\0", SLOT) for number in range(count)])
    assert connection.execute(select(CLAIMS)).all() == [
        (f"{number}\ufffd", SLOT) for number in range(count)
    ]


@pytest.mark.parametrize(("count", "runs"), [(1, [1]), (15, [15]), (16, [1]), (300, [2, 2, 12])])
def test_sqlite_runs_many_rows_as_one(connection: Connection, count: int, runs: list[int]) -> None:
    """Between two runs its driver waits for the event loop."""

    class Recorder:
        dialect = connection.dialect

        def __init__(self) -> None:
            self.runs: list[int] = []

        def exec_driver_sql(self, statement: str, rows: Any) -> None:
            self.runs.append(len(rows))

    recorder: Any = Recorder()
    ENTER.run(recorder, [(str(number), SLOT) for number in range(count)])
    assert recorder.runs == runs


def test_of_many_rows_that_do_not_fit_none_stays_when_their_work_is_taken_back(
    connection: Connection,
) -> None:
    ENTER.run(connection, [("known", SLOT)])
    work = connection.begin_nested()
    with pytest.raises(IntegrityError):
        ENTER.run(connection, [(name, SLOT) for name in (*"abcdefghijklmno", "known", *"pqrs")])
    work.rollback()
    assert connection.execute(select(CLAIMS)).all() == [("known", SLOT)]


def test_parameters_go_where_their_names_are(connection: Connection) -> None:
    later = SLOT.replace(year=2027)
    ENTER.run(connection, [("a", SLOT), ("b", SLOT)])
    MOVE.run(connection, [("b", SLOT), ("b", later)])
    assert connection.execute(select(CLAIMS)).all() == [("a", SLOT), ("b", later)]


def test_no_rows_are_no_transaction(connection: Connection) -> None:
    ENTER.run(connection, iter(()))
    assert not connection.in_transaction()


def test_a_row_that_is_too_short_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="shorter"):
        ENTER.run(connection, [("a", SLOT), ("b",)])


def test_postgresql_gets_its_parameters_by_name() -> None:
    class Recorder:
        dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # it has no annotations
        given: Any = None

        def exec_driver_sql(self, statement: str, rows: Any) -> None:
            self.given = statement, rows

    recorder: Any = Recorder()
    MOVE.run(recorder, [("a", SLOT)])
    statement, rows = recorder.given
    assert "%(slot)s" in statement
    assert rows == [{"of": "a", "slot": TEXT}]
