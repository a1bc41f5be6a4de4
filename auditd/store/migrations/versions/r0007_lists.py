"""Snapshots without their lists, which are what stands in the history anyway."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_PROJECTS = sa.text("SELECT project FROM snapshots")
_BODY = sa.text("SELECT body FROM snapshots WHERE project = :project")
_KEEP = sa.text("UPDATE snapshots SET body = :body WHERE project = :project")


def upgrade() -> None:
    """Take the lists out, and the index of what ended lets go of what stands."""
    connection = op.get_bind()
    for project in connection.execute(_PROJECTS).scalars().all():  # of bodies one at a time
        body = connection.execute(_BODY, {"project": project}).scalar_one()
        connection.execute(_KEEP, {"project": project, "body": _without_list(body)})
    op.drop_index("history_ended_at", "history")
    is_over = sa.text("ended_at IS NOT NULL")
    op.create_index(
        "history_ended_at",
        "history",
        ["ended_at"],
        sqlite_where=is_over,
        postgresql_where=is_over,
    )


def _without_list(body: str) -> str:
    known = json.loads(body)
    kept = {
        "failure": known["failure"],
        "failure_message": known["failure_message"],
        "is_listed": known["authorizations"] is not None,
        "findings": known["findings"],
        "verifications": known["verifications"],
    }
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
