"""Copies of the database beside it, and what takes its place when it is damaged."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from auditd.store.backing import Backing
from auditd.store.database import Database
from auditd.store.errors import StoreFault, StoreWriteError
from auditd.store.sqlite import SIDE_FILES, fault_of

_FAULTS = {
    errno.ENOSPC: StoreFault.FULL,
    errno.EDQUOT: StoreFault.FULL,
    errno.EROFS: StoreFault.READ_ONLY,
    errno.EACCES: StoreFault.READ_ONLY,
}
_STAMP = "%Y%m%dT%H%M%S.%fZ"


class Copies(Protocol):
    """Where copies of a database are kept."""

    async def make(self, database: Database, at: datetime) -> None:
        """Make one. Raises StoreWriteError."""

    async def is_due(self, at: datetime, every: timedelta) -> bool:
        """Whether the newest is not younger than `every`, or from the future."""


class NoCopies:
    """A server's are made by those who run it."""

    async def make(self, database: Database, at: datetime) -> None:
        """Does nothing."""

    async def is_due(self, at: datetime, every: timedelta) -> bool:  # noqa: ARG002 -- of the port
        """Never."""
        return False


class Backups:
    """The copies of one database, named after the instants at which they were begun.

    `kept` is how many there are at most; when another is made the oldest go.
    """

    def __init__(self, path: Path, kept: int) -> None:
        self._path = path
        self._kept = kept

    async def make(self, database: Database, at: datetime) -> None:
        """Copy the database, whose transactions wait meanwhile. Raises StoreWriteError."""
        try:
            await asyncio.to_thread(self.begin)
            await database.alone(self._copy_from)
            await asyncio.to_thread(self.keep, at)
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            raise self._failure(fault_of(cause)) from error
        except OSError as error:
            raise self._failure(_FAULTS.get(error.errno or 0, StoreFault.IO)) from error

    async def is_due(self, at: datetime, every: timedelta) -> bool:
        """Whether the newest copy is not younger than `every`, or from the future."""
        newest_at = await asyncio.to_thread(self.newest_at)
        return newest_at is None or not timedelta(0) <= at - newest_at < every

    def copy(self, connection: Connection) -> None:
        """Write a copy that has no name yet. Not within a transaction.

        Source: https://www.sqlite.org/lang_vacuum.html#vacuuminto
        """
        cursor = connection.connection.cursor()
        try:
            cursor.execute("VACUUM INTO ?", (str(self._draft),))
        finally:
            cursor.close()

    def begin(self) -> None:
        """Make room for a copy that only its owner can read. Raises OSError."""
        self._draft.unlink(missing_ok=True)
        touch(self._draft)

    def keep(self, at: datetime) -> Path:
        """Give the copy its name once it is on the disk. Raises OSError."""
        name = self._path.with_name(f"{self._prefix}{stamp(at)}")
        sync(self._draft)
        self._draft.replace(name)
        sync(self._path.parent)
        for old in self.newest_first()[self._kept :]:
            old.unlink(missing_ok=True)
        return name

    def newest_first(self) -> Sequence[Path]:
        """All copies. Raises OSError."""
        return sorted(self._path.parent.glob(f"{self._prefix}*Z"), reverse=True)

    def newest_at(self) -> datetime | None:
        """When the newest copy was made, None when there is none. Raises OSError."""
        for copy in self.newest_first():
            with suppress(ValueError):
                text = copy.name.removeprefix(self._prefix)
                return datetime.strptime(text, _STAMP).replace(tzinfo=UTC)
        return None

    def restore(self, copy: Path) -> None:
        """Put a copy in the place of the database, which is not there. Raises OSError."""
        self.begin()
        shutil.copyfile(copy, self._draft)
        sync(self._draft)
        self._draft.replace(self._path)
        sync(self._path.parent)

    def _copy_from(self, backing: Backing) -> None:
        with backing.writes.connect() as connection:
            self.copy(connection)

    def _failure(self, fault: StoreFault) -> StoreWriteError:
        return StoreWriteError(fault, f"a copy of {self._path}")

    @property
    def _prefix(self) -> str:
        return f"{self._path.name}.backup-"

    @property
    def _draft(self) -> Path:
        return self._path.with_name(f"{self._path.name}.draft")


def set_aside(path: Path, at: datetime) -> Path:
    """Rename a database and its side files, and return its new name. Raises OSError."""
    aside = path.with_name(f"{path.name}.corrupt-{stamp(at)}")
    for suffix in reversed(SIDE_FILES):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def stamp(at: datetime) -> str:
    """An instant as a part of a file name, which sorts as the instants do."""
    return at.astimezone(UTC).strftime(_STAMP)


def touch(path: Path) -> None:
    """Create a file that only its owner can read, if it is not there. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
