"""What became of projects: to begin with, all that was known of them stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.String(27)
_KNOWN = sa.text(
    "SELECT s.project, s.body, p.attempted_at, p.succeeded_at"
    " FROM snapshots s JOIN polls p ON p.project = s.project ORDER BY s.project"
)


def upgrade() -> None:
    """Create the table and fill it."""
    history = op.create_table(
        "history",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("project", _TEXT, nullable=False),
        sa.Column("authorization", _TEXT, nullable=False),
        sa.Column("aspect", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("history_project", "history", ["project", "seq"])
    op.create_index("history_ended_at", "history", ["ended_at"])
    stands = sa.text("ended_at IS NULL")
    op.create_index(
        "history_standing",
        "history",
        ["project", "authorization", "aspect"],
        unique=True,
        sqlite_where=stands,
        postgresql_where=stands,
    )
    op.create_table(
        "commits",
        sa.Column("writer", _TEXT, primary_key=True),
        sa.Column("token", _TEXT, nullable=False),
    )
    for known in op.get_bind().execute(_KNOWN).all():
        if rows := list(_standing(known)):
            op.bulk_insert(history, rows)


def _standing(known: Any) -> Iterator[dict[str, Any]]:
    if known.attempted_at is None:
        return
    sight, at = json.loads(known.body), known.succeeded_at or known.attempted_at
    for name, listed in (sight["authorizations"] or {}).items():
        body = {"listed": listed}
        yield _row(known.project, name, "list", "authorization.added", at, body)
    for finding in sight["findings"]:
        about, aspect = finding["authorization"], f"check {finding['check']}"
        body = {"finding": finding}
        yield _row(known.project, about, aspect, "finding.flagged", at, body)
    if sight["failure"]:
        body = {"reason": sight["failure"]}
        yield _row(known.project, "", "polls", "polls.failed", known.attempted_at, body)


def _row(*values: Any) -> dict[str, Any]:
    *columns, body = values
    names = ("project", "authorization", "aspect", "kind", "at")
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {**dict(zip(names, columns, strict=True)), "body": text}
