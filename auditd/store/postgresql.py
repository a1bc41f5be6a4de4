"""PostgreSQL, set up so that a server that goes away is noticed, and its return too.

Source: https://www.postgresql.org/docs/current/runtime-config-client.html;
https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import sleep
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import SQLAlchemyError

from auditd.store.errors import StoreFault, StoreHeldError, StoreUnavailableError
from auditd.store.receipts import Receipts
from auditd.store.revisions import OPTION, Revisions

_CONNECT = {
    "application_name": "servicestage-auditd",
    "client_encoding": "utf8",
    "connect_timeout": 5,
    # A network that swallows everything is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
_SETTINGS = (
    "SET statement_timeout = '30s'",
    "SET lock_timeout = '10s'",
    # The locks of a process that stands still are not kept for long; replicas take less time, see
    # store.revisions.
    "SET idle_in_transaction_session_timeout = '5s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    # Where commits are answered before they are on the disk, a crash would tell alerts twice.
    """SELECT set_config('synchronous_commit', 'on', false)
       WHERE current_setting('synchronous_commit') = 'off'""",
)
_HOLD = "SELECT pg_try_advisory_lock(1635083369, hashtext(current_schema()))"
"""Held until the connection ends; the first number is ours alone."""
_SHARE = _HOLD.replace("_lock(", "_lock_shared(")
_LIVE = "SELECT pg_advisory_lock(1635083372, hashtext(%s))"
"""Held until the connection ends, which a killed process cannot outlive: see store.replicas."""
_TRIES = 20
_PAUSE_SECONDS = 0.05
"""Between tries: the server notices the end of a killed daemon a moment later."""
_FAULTS = {
    "08": StoreFault.UNREACHABLE,
    "25006": StoreFault.READ_ONLY,
    "25P03": StoreFault.BUSY,  # idle in a transaction for too long: this process stood still
    "28": StoreFault.UNREACHABLE,
    "3D": StoreFault.UNREACHABLE,
    "40": StoreFault.BUSY,
    "42501": StoreFault.READ_ONLY,
    "53": StoreFault.BUSY,
    "53100": StoreFault.FULL,
    "55": StoreFault.BUSY,
    "57014": StoreFault.BUSY,  # statement_timeout
    "57P": StoreFault.UNREACHABLE,
    "58": StoreFault.IO,
    "XX001": StoreFault.DAMAGED,
    "XX002": StoreFault.DAMAGED,
}
"""By SQLSTATE or the beginning of it; the longest counts."""


class PostgresqlBacking:
    """The database that a URL names, with our schema in its first schema.

    Its connections raise StoreHeldError while another process has it.

    Args:
        url: see `auditd.store.address`.
        is_exclusive: no other process may have it, be it alone or as a replica.
        replica: the unique name of this process among those that share it.

    Raises:
        StoreUnavailableError: the driver is not installed, or the URL has an unknown option.
    """

    def __init__(self, url: URL, *, is_exclusive: bool, replica: str | None = None) -> None:
        self.place = place_of(url)
        self.receipts = Receipts(replica or "daemon")
        self.revisions: Revisions | None = None
        self.writes = _open_engine(url, self.place)
        self.reads = self.writes.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        if is_exclusive or replica:
            statement = _HOLD if is_exclusive else _SHARE
            event.listen(self.writes, "connect", partial(_hold, self.place, statement))
        if replica:
            event.listen(self.writes, "connect", partial(_live, replica))

    def number_revisions(self, replica: str, seen: int) -> None:
        """Let every transaction that writes have a number from now on; the schema is ours.

        Args:
            replica: the name of this process.
            seen: the number of the last one whose changes are known here.
        """
        self.revisions = Revisions(self.place, replica, seen)
        self.writes = self.writes.execution_options(**{OPTION: self.revisions})
        event.listen(self.writes, "begin", self.revisions.begin)

    def fault_of(self, error: BaseException | None) -> StoreFault:
        """What an error of the driver means."""
        return fault_of(error)

    def check(self, connection: Connection) -> None:
        """The server looks after its files itself."""


def place_of(url: URL) -> str:
    """Where a server and its database are, without user and password."""
    given = url.host or url.query.get("host")
    host = ",".join(given) if isinstance(given, tuple) else given
    server = f"PostgreSQL on {host}" if host else "PostgreSQL on this machine"
    port = f", port {url.port}" if url.port else ""
    return f"{server}{port}, database {url.database or url.username or 'of this user'}"


def fault_of(error: BaseException | None) -> StoreFault:
    """What an error of the driver means."""
    code = getattr(error, "sqlstate", None)
    if code is None:
        return StoreFault.UNREACHABLE if _is_of_connection(error) else StoreFault.INTERNAL
    known = (_FAULTS.get(code[:length]) for length in range(len(code), 1, -1))
    return next((fault for fault in known if fault), StoreFault.INTERNAL)


def _is_of_connection(error: BaseException | None) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"OperationalError", "InterfaceError"})


def _open_engine(url: URL, place: str) -> Engine:
    """An engine of one connection, which is tried before it is used."""
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_CONNECT,
        )
    except ImportError as error:
        msg = (
            f"state in {place} needs the driver psycopg ({error});"
            " pip install 'servicestage-auditd[postgres]'"
        )
        raise StoreUnavailableError(msg) from None
    except (SQLAlchemyError, TypeError, ValueError) as error:
        msg = f"the storage URL of {place} has an option that cannot be used: {error}"
        raise StoreUnavailableError(msg) from None
    event.listen(engine, "connect", _set_up)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    with _autocommit(connection):
        for setting in _SETTINGS:
            connection.execute(setting)


def _hold(place: str, statement: str, connection: Any, _record: object) -> None:
    """Raises StoreHeldError."""
    with _autocommit(connection):
        for _ in range(_TRIES):
            (is_ours,) = connection.execute(statement).fetchone()
            if is_ours:
                return
            sleep(_PAUSE_SECONDS)
    connection.close()
    raise StoreHeldError(place, None)


def _live(replica: str, connection: Any, _record: object) -> None:
    with _autocommit(connection):
        connection.execute(_LIVE, (replica,))


@contextmanager
def _autocommit(connection: Any) -> Iterator[None]:
    connection.autocommit = True
    yield
    connection.autocommit = False
