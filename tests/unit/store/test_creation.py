from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, create_engine, text

from auditd.store.creation import create
from auditd.store.migration import HEAD, revision_of, upgrade
from auditd.store.schema import METADATA


def made_by(make: Callable[[Connection], None]) -> list[object]:
    """The whole database: how it was made, and each row."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        make(connection)
        assert revision_of(connection) == HEAD
        schema = connection.execute(text("SELECT type, name, sql FROM sqlite_master")).all()
        tables = sorted(name for kind, name, _ in schema if kind == "table")
        assert METADATA.tables.keys() < set(tables)
        rows = {
            name: sorted(map(tuple, connection.execute(text(f"SELECT * FROM {name}"))))
            for name in tables
        }
    engine.dispose()
    return [sorted((kind, name, " ".join((sql or "").split())) for kind, name, sql in schema), rows]


def test_a_new_file_is_to_the_letter_what_the_migrations_make() -> None:
    assert made_by(create) == made_by(upgrade)
