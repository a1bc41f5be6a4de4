"""What happens to the database on a server before the daemon uses it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from auditd.store.errors import StoreUnavailableError
from auditd.store.migration import HEAD, revision_of, upgrade
from auditd.store.postgresql import PostgresqlBacking
from auditd.store.preparation import OpeningKind, StoreOpening
from auditd.store.state import StoredState, read_state

_ALONE = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = '60s'",
    "SELECT pg_advisory_xact_lock(1635083370, hashtext(current_schema()))",
)
"""Of processes that start together one brings the schema up to ours, and the others wait."""
_SHARED = "0004"
"""The first schema that replicas share."""
HALT = "LOCK TABLE revision, alembic_version"
"""What every transaction of a replica begins with: those of an older release, which may still run,
come before the migration or find out that there was one."""


def prepare_server(
    backing: PostgresqlBacking, also: Callable[[Connection], None] = lambda _: None
) -> tuple[StoreOpening, StoredState]:
    """Bring the schema up to ours and read what is there. Blocks.

    `also` brings up to date what others keep beside it, in the same transaction.

    Raises:
        StoreHeldError: another process has it.
        StoreUnavailableError: it cannot be used; it is as it was.
    """
    try:
        with backing.writes.begin() as connection:
            is_new = _bring_up_to_date(connection, backing.place)
            also(connection)
        with backing.reads.connect() as connection:
            found = read_state(connection)
    except DBAPIError as error:
        raise unreachable(backing.place, error) from error
    except (LookupError, TypeError, ValueError) as error:
        msg = (
            f"the state in {backing.place} is not what this program wrote"
            f" ({type(error).__name__} in a row); restore a backup of that database, or name an"
            " empty one"
        )
        raise StoreUnavailableError(msg) from error
    kind = OpeningKind.NEW if is_new else OpeningKind.OPENED
    return StoreOpening(kind, f"state in {backing.place}"), found


def unreachable(place: str, error: DBAPIError) -> StoreUnavailableError:
    """What is said when a server does not do what is needed at the start."""
    reason = " ".join(str(error.orig).split())[:256]
    return StoreUnavailableError(
        f"cannot open the state in {place}: {reason}; the server must run, be reachable from here"
        " and let this user create tables there"
    )


def _bring_up_to_date(connection: Connection, place: str) -> bool:
    """Whether there was nothing yet."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        msg = f"{place} is encoded in {encoding}; create one with ENCODING 'UTF8'"
        raise StoreUnavailableError(msg)
    for statement in _ALONE:
        connection.execute(text(statement))
    revision = revision_of(connection)
    if revision != HEAD:
        if revision and revision >= _SHARED:
            connection.execute(text(HALT))
        upgrade(connection)
    return revision is None
