"""SQLite, set up so that a commit survives a power cut.

Source: https://www.sqlite.org/pragma.html; https://docs.sqlalchemy.org/en/21/dialects/sqlite.html
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from auditd.store.errors import StoreFault, StoreUnavailableError

SIDE_FILES = ("", "-wal", "-shm")
"""What SQLite appends to a file's name for the files that belong together."""

READS = "auditd.reads"
"""In the `info` of a connection: its transactions only read, which a read-only disk allows."""

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
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        msg = "the storage URL is none; write for example sqlite:////var/lib/NAME/state.db"
        raise StoreUnavailableError(msg) from None
    if parsed.get_backend_name() == "postgresql":
        msg = "this release cannot keep its state in PostgreSQL yet; use a sqlite:// URL"
        raise StoreUnavailableError(msg)
    if parsed.drivername != "sqlite" or parsed.host or parsed.query:
        msg = "the storage URL must be sqlite:// and a path, without host or options"
        raise StoreUnavailableError(msg)
    if parsed.database in {None, "", ":memory:"}:
        msg = "the storage URL names no file; state that survives needs one"
        raise StoreUnavailableError(msg)
    return Path(parsed.database).absolute()


def open_engine(path: Path) -> Engine:
    """An engine for one thread. See `open_async_engine`."""
    engine = create_engine(URL.create("sqlite", database=str(path)), **_ENGINE)
    _arm(engine)
    return engine


def open_async_engine(path: Path) -> AsyncEngine:
    """An engine of one connection, whose transactions begin as writers.

    One, because SQLite before 3.51.3 can damage a WAL that two connections write or checkpoint.
    BEGIN IMMEDIATE, because a reader that turns writer can fail at once instead of waiting.

    Source: https://www.sqlite.org/wal.html#walresetbug
    """
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(path)), **_ENGINE)
    _arm(engine.sync_engine)
    return engine


def fault_of(error: BaseException | None) -> StoreFault:
    """What an error of the driver means."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.OperationalError) and "decode to UTF-8" in str(error):
        return StoreFault.DAMAGED  # the driver's own error, which has no code
    return StoreFault.INTERNAL if code is None else _FAULTS.get(code & 0xFF, StoreFault.INTERNAL)


_ENGINE: dict[str, Any] = {
    "pool_size": 1,
    "max_overflow": 0,
    "hide_parameters": True,
    "connect_args": {"isolation_level": None, "timeout": _BUSY_TIMEOUT_SECONDS},
}


def _arm(engine: Engine) -> None:
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if connection.info.get(READS) else "BEGIN IMMEDIATE")
