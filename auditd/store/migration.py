"""Brings an older schema up to ours."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from auditd.store.errors import StoreUnavailableError

HEAD = "0007"
"""The newest revision. They are numbered, so that a newer schema than ours is known as such."""


def revision_of(connection: Connection) -> str | None:
    """The revision of the schema that is stored; None when there is none yet.

    Raises:
        StoreUnavailableError: it is newer than ours.
        ValueError: it is none of ours.
    """
    if not inspect(connection).has_table("alembic_version"):
        return None
    (revision,) = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
    if not str(revision).isdigit() or len(revision) != len(HEAD):
        msg = "the revision of the schema is unknown"
        raise ValueError(msg)
    if revision > HEAD:
        msg = (
            f"the state was written by a newer release (schema {revision}, ours is {HEAD});"
            " run that release, or restore the backup that it made before its migration"
        )
        raise StoreUnavailableError(msg)
    return str(revision)


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Run the missing migrations within the caller's transaction."""
    from alembic import command  # noqa: PLC0415 -- 0.15 s that few starts need
    from alembic.config import Config  # noqa: PLC0415 -- likewise

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "auditd.store:migrations")
    command.upgrade(config, revision)
