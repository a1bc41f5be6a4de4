"""The tables, the same on SQLite and on PostgreSQL.

What is queried has columns of its own; the rest of a thing is JSON in `body`. Whoever changes
the shape of what is in a body, or a table, adds a migration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

_INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only plain integers


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as RFC 3339 text of fixed width, which sorts as the instants do."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """The text of an instant."""
        return instant_text(value) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """The instant of a text. Raises ValueError or TypeError for anything else."""
        return None if value is None else datetime.fromisoformat(value)


def instant_text(instant: datetime) -> str:
    """As stored: `2026-01-01T00:00:00.000000Z`. `instant` is aware."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


METADATA = MetaData()

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("project_id", Text, nullable=False),
    Column("body", Text, nullable=False),
)
"""What was last seen of a project, without what every poll changes."""

POLLS = Table(
    "polls",
    METADATA,
    Column("project", Text, ForeignKey(SNAPSHOTS.c.project, ondelete="CASCADE"), primary_key=True),
    Column("attempted_at", Instant),
    Column("succeeded_at", Instant),
    Column("failures_in_a_row", Integer, nullable=False),
    Column("sighted_at", Instant),
)
"""What every poll changes. `sighted_at` is the latest `last_seen_at` of the project's alerts."""

ALERTS = Table(
    "alerts",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("last_seen_at", Instant),
    Column("body", Text, nullable=False),
)
"""`last_seen_at` is null while it is the project's `sighted_at`: then a poll that sees the same
alerts again changes none of these rows."""

GROUPS = Table(
    "alert_groups",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("seq", _SERIAL, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("hook", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("last_error", Text, nullable=False),
    Column("notification", Text, nullable=False),
    Index("deliveries_settled_at", "settled_at"),
    Index(
        "deliveries_pending",
        "group_key",
        unique=True,
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    sqlite_autoincrement=True,
)
"""The outbox, in the order in which things came to be owed; a group has at most one pending."""

SILENCES = Table(
    "silences",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("ends_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

ACKNOWLEDGEMENTS = Table(
    "acknowledgements",
    METADATA,
    Column("fingerprint", Text, primary_key=True),
    Column("body", Text, nullable=False),
)

SWITCHED_OFF = Table(
    "switched_off",
    METADATA,
    Column("hook", Text, primary_key=True),
    Column("reason", Text, nullable=False),
)

TRAIL = Table(
    "trail",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""Plain texts, because the hashes are of what is stored and not of what it means."""

TRAIL_ENDS = Table(
    "trail_ends",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
"""`head` is the newest entry, `anchor` the newest that the retention removed; 0 for none."""


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or replace those with the same primary key. All rows have the same columns."""
    if not rows:
        return
    statement = _INSERTS[connection.dialect.name](table)
    key = list(table.primary_key)
    others = {name: statement.excluded[name] for name in rows[0] if not table.c[name].primary_key}
    statement = statement.on_conflict_do_update(index_elements=key, set_=others)
    connection.execute(statement, rows)
