"""The tables, the same on SQLite and on PostgreSQL.

What is queried has columns of its own; the rest of a thing is JSON in `body`. Whoever changes
the shape of what is in a body, or a table, adds a migration.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from auditd.store.columns import Instant, Key, Words

_SERIAL = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only plain integers


METADATA = MetaData()

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("project", Words, primary_key=True),
    Column("project_id", Words, nullable=False),
    Column("body", Text, nullable=False),
)
"""What was last seen of a project, without what every poll changes and without its list: that is
what stands in the history."""

POLLS = Table(
    "polls",
    METADATA,
    Column("project", Words, ForeignKey(SNAPSHOTS.c.project, ondelete="CASCADE"), primary_key=True),
    Column("attempted_at", Instant),
    Column("succeeded_at", Instant),
    Column("failures_in_a_row", Integer, nullable=False),
    Column("sighted_at", Instant),
    Column("number", BigInteger, nullable=False, server_default="0"),
)
"""What every poll changes, and the number of the revision that did. `sighted_at` is the latest
`last_seen_at` of the project's alerts."""

ALERTS = Table(
    "alerts",
    METADATA,
    Column("project", Words, primary_key=True),
    Column("fingerprint", Words, primary_key=True),
    Column("last_seen_at", Instant),
    Column("body", Text, nullable=False),
)
"""`last_seen_at` is null while it is the project's `sighted_at`: then a poll that sees the same
alerts again changes none of these rows."""

GROUPS = Table(
    "alert_groups",
    METADATA,
    Column("key", Key, primary_key=True),
    Column("body", Text, nullable=False),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("seq", _SERIAL, primary_key=True),
    Column("id", Words, nullable=False, unique=True),
    Column("hook", Words, nullable=False),
    Column("group_key", Key, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("last_error", Words, nullable=False),
    Column("notification", Text, nullable=False),
    Column("owner", Words, nullable=False, server_default=""),
    Column("tried", Text, nullable=False, server_default="[]"),
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
"""The outbox, in the order in which things came to be owed; a group has at most one pending.
`owner` is the replica that sends a pending one; nobody else does while that lives."""

SILENCES = Table(
    "silences",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("ends_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
)

ACKNOWLEDGEMENTS = Table(
    "acknowledgements",
    METADATA,
    Column("fingerprint", Words, primary_key=True),
    Column("body", Text, nullable=False),
)

SWITCHED_OFF = Table(
    "switched_off",
    METADATA,
    Column("hook", Words, primary_key=True),
    Column("reason", Words, nullable=False),
)

TRAIL = Table(
    "trail",
    METADATA,
    Column("seq", _SERIAL, primary_key=True, autoincrement=False),
    Column("at", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Words, nullable=False),
)
"""Plain texts, because the hashes are of what is stored and not of what it means."""

TRAIL_ENDS = Table(
    "trail_ends",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Words, nullable=False),
)
"""`head` is the newest entry, `anchor` the newest that the retention removed; 0 for none."""

HISTORY = Table(
    "history",
    METADATA,
    Column("seq", _SERIAL, primary_key=True),
    Column("project", Words, nullable=False),
    Column("authorization", Words, nullable=False),
    Column("aspect", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("body", Text, nullable=False),
    Index("history_project", "project", "seq"),
    Index(
        "history_ended_at",
        "ended_at",
        sqlite_where=text("ended_at IS NOT NULL"),
        postgresql_where=text("ended_at IS NOT NULL"),
    ),
    Index(
        "history_standing",
        *("project", "authorization", "aspect"),
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)
"""What became of projects. An entry stands until the next one of its aspect, which is the list,
the polls or one check; what ends something never stands. `ended_at` is when it ceased to."""


REVISION = Table(
    "revision",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("number", BigInteger, nullable=False),
)
"""One row: the number of the last transaction of all replicas that changed anything."""

CHANGES = Table(
    "changes",
    METADATA,
    Column("kind", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Index("changes_number", "number"),
)
"""The last revision of each thing that replicas keep in memory; also of what is gone."""

REPLICAS = Table(
    "replicas",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("seen_at", Double, nullable=False),
)
"""Epoch seconds by the clock of the server, which is the same for all."""

CLAIMS = Table(
    "claims",
    METADATA,
    Column("name", Words, primary_key=True),
    Column("slot", Instant, nullable=False),
)
"""The last slot of each thing that is done once for all replicas."""

DISCOVERIES = Table(
    "discoveries",
    METADATA,
    Column("source", Words, primary_key=True),
    Column("body", Text, nullable=False),
)
"""The projects that a source gave last."""

KEYS = Table(
    "keys",
    METADATA,
    Column("name", String(8), primary_key=True),
    Column("value", String(64), nullable=False),
)
"""With which replicas sign what each of them has to take."""

COMMITS = Table(
    "commits",
    METADATA,
    Column("writer", Words, primary_key=True),
    Column("token", Words, nullable=False),
)
"""The token of the last transaction of each writer, where the answer to a commit can be lost."""
