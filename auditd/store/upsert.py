"""Adds rows, or replaces those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

from auditd.store.statement import Statement

_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those with the same primary key. All rows have the same columns."""
    if rows:
        names = tuple(rows[0])
        _upsert(table, names).run(connection, [[row[name] for name in names] for row in rows])


@cache
def _upsert(table: Table, names: tuple[str, ...]) -> Statement:
    return Statement(partial(_made_upsert, table, names), names)


def _made_upsert(table: Table, names: tuple[str, ...], dialect: Dialect) -> Executable:
    statement = _INSERTS[dialect.name](table)
    others = {name: statement.excluded[name] for name in names if not table.c[name].primary_key}
    result: Executable = statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_=others
    )
    return result
