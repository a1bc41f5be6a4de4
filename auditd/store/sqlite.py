"""SQLite, set up so that a commit survives a power cut.

Source: https://www.sqlite.org/pragma.html; https://docs.sqlalchemy.org/en/21/dialects/sqlite.html
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event

from auditd.store.address import parse_url
from auditd.store.errors import StoreFault, StoreUnavailableError

SIDE_FILES = ("", "-wal", "-shm")
"""What SQLite appends to a file's name for the files that belong together."""

_READS = "auditd_reads"
"""The option of an engine whose transactions only read, which a read-only disk allows."""

_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # NORMAL loses the last commits at a power cut, and tells alerts twice
    "foreign_keys = ON",
    "cell_size_check = ON",
    "wal_autocheckpoint = 1000",
    "journal_size_limit = 67108864",
)
_BUSY_TIMEOUT_SECONDS = 5.0
_FAULTS = {
    sqlite3.SQLITE_FULL: StoreFault.FULL,
    sqlite3.SQLITE_READONLY: StoreFault.READ_ONLY,
    sqlite3.SQLITE_PERM: StoreFault.READ_ONLY,
    sqlite3.SQLITE_IOERR: StoreFault.IO,
    sqlite3.SQLITE_CANTOPEN: StoreFault.IO,
    sqlite3.SQLITE_BUSY: StoreFault.BUSY,
    sqlite3.SQLITE_LOCKED: StoreFault.BUSY,
    sqlite3.SQLITE_CORRUPT: StoreFault.DAMAGED,
    sqlite3.SQLITE_NOTADB: StoreFault.DAMAGED,
}


def sqlite_path(url: str) -> Path:
    """The absolute path of the file that a storage URL names.

    Raises:
        StoreUnavailableError: it names no file of SQLite. The message does not repeat the URL,
            which can hold a password.
    """
    parsed = parse_url(url)
    if parsed.drivername != "sqlite" or parsed.host or parsed.query:
        msg = "the storage URL must be sqlite:// and a path, without host or options, or postgresql://"
        raise StoreUnavailableError(msg)
    if parsed.database in {None, "", ":memory:"}:
        msg = "the storage URL names no file; state that survives needs one"
        raise StoreUnavailableError(msg)
    return Path(parsed.database).absolute()


class DamageError(ValueError):
    """SQLite finds damage; the message is what it says of it."""


class SqliteBacking:
    """The file at `path`, with our schema.

    Args:
        path: absolute.
        is_read_only: nothing can be written, not even a checkpoint.
    """

    def __init__(self, path: Path, *, is_read_only: bool = False) -> None:
        self.place = str(path)
        self.revisions = None
        self.receipts = None  # a commit is a call of a function here, which always answers
        self.writes = open_reading_engine(path) if is_read_only else open_engine(path)
        self.reads = self.writes.execution_options(**{_READS: True})

    def fault_of(self, error: BaseException | None) -> StoreFault:
        """What an error of the driver means."""
        return fault_of(error)

    def check(self, connection: Connection) -> None:
        """Raises DamageError."""
        quick_check(connection)


def open_engine(path: Path) -> Engine:
    """An engine of one connection, whose transactions begin as writers.

    One, because SQLite before 3.51.3 can damage a WAL that two connections write or checkpoint.
    BEGIN IMMEDIATE, because a reader that turns writer can fail at once instead of waiting.

    Source: https://www.sqlite.org/wal.html#walresetbug
    """
    engine = create_engine(URL.create("sqlite", database=str(path)), **_ENGINE)
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def open_reading_engine(path: Path) -> Engine:
    """Source: https://www.sqlite.org/uri.html (`mode=ro` never writes to the database)."""
    database, query = f"file:{quote(str(path))}", {"mode": "ro", "uri": "true"}
    engine = create_engine(URL.create("sqlite", database=database, query=query), **_ENGINE)
    event.listen(engine, "begin", _begin)
    return engine


def fault_of(error: BaseException | None) -> StoreFault:
    """What an error of the driver means."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error):
        return StoreFault.DAMAGED  # the driver's own error, which has no code
    return StoreFault.INTERNAL if code is None else _FAULTS.get(code & 0xFF, StoreFault.INTERNAL)


def quick_check(connection: Connection) -> None:
    """Look through the whole file. Raises DamageError."""
    finding = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    if finding != "ok":
        raise DamageError(" ".join(finding.split()))


_ENGINE: dict[str, Any] = {
    "pool_size": 1,
    "max_overflow": 0,
    "hide_parameters": True,
    "connect_args": {"isolation_level": None, "timeout": _BUSY_TIMEOUT_SECONDS},
}


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    is_read = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if is_read else "BEGIN IMMEDIATE")
