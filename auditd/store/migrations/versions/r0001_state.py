"""Snapshots, alerts, groups, the outbox, and what people said of alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.String(27)
_SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables."""
    _create_polls()
    _create_outbox()
    op.create_table(
        "silences",
        sa.Column("id", _TEXT, primary_key=True),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("fingerprint", _TEXT, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )


def _create_polls() -> None:
    op.create_table(
        "snapshots",
        sa.Column("project", _TEXT, primary_key=True),
        sa.Column("project_id", _TEXT, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    project = sa.ForeignKey("snapshots.project", ondelete="CASCADE")
    op.create_table(
        "polls",
        sa.Column("project", _TEXT, project, primary_key=True),
        sa.Column("attempted_at", _INSTANT),
        sa.Column("succeeded_at", _INSTANT),
        sa.Column("failures_in_a_row", sa.Integer, nullable=False),
        sa.Column("sighted_at", _INSTANT),
    )
    op.create_table(
        "alerts",
        sa.Column("project", _TEXT, primary_key=True),
        sa.Column("fingerprint", _TEXT, primary_key=True),
        sa.Column("last_seen_at", _INSTANT),
        sa.Column("body", sa.Text, nullable=False),
    )


def _create_outbox() -> None:
    op.create_table(
        "alert_groups",
        sa.Column("key", _TEXT, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("seq", _SERIAL, primary_key=True),
        sa.Column("id", _TEXT, nullable=False, unique=True),
        sa.Column("hook", _TEXT, nullable=False),
        sa.Column("group_key", _TEXT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("next_at", _INSTANT, nullable=False),
        sa.Column("settled_at", _INSTANT),
        sa.Column("last_error", _TEXT, nullable=False),
        sa.Column("notification", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("deliveries_settled_at", "deliveries", ["settled_at"])
    is_pending = sa.text("state = 'pending'")
    op.create_index(
        "deliveries_pending",
        "deliveries",
        ["group_key"],
        unique=True,
        sqlite_where=is_pending,
        postgresql_where=is_pending,
    )
    op.create_table(
        "switched_off",
        sa.Column("hook", _TEXT, primary_key=True),
        sa.Column("reason", _TEXT, nullable=False),
    )
