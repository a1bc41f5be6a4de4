"""A store and a wall clock for virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from auditd.store.backup import Backups
from auditd.store.batch import Batch, Work
from auditd.store.database import Database, Way
from auditd.store.preparation import OpeningKind, Preparation
from auditd.store.sqlite import SqliteBacking
from auditd.store.store import Store

START = datetime(2026, 3, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class VirtualClock:
    """A wall clock that follows the loop; no two readings of it are the same."""

    def __init__(self) -> None:
        self._last = START

    def __call__(self) -> datetime:
        at = START + timedelta(seconds=asyncio.get_running_loop().time())
        self._last = max(at, self._last + _TICK)
        return self._last


class InlineDatabase(Database):
    """Runs transactions on the loop, so that virtual time stands still meanwhile.

    The loop would take a thread at work for idleness, and jump to its next timer.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(SqliteBacking(path))
        event.listen(self.backing.writes, "connect", _hurry)

    def _hand_over(self, way: Way, works: Sequence[Work]) -> asyncio.Future[Batch]:
        done = asyncio.get_running_loop().create_future()
        done.set_result(way(works))
        return done

    def dispose(self) -> None:
        self.backing.writes.dispose()


def _hurry(connection: Any, _: object) -> None:
    """A SIGKILL loses nothing that was handed to the kernel; no test cuts the power."""
    connection.execute("PRAGMA synchronous = OFF")


@contextmanager
def open_inline_store(path: Path, now: Callable[[], datetime]) -> Iterator[Store]:
    """The store at `path`, all of it but the thread, the lock and the chores."""
    backups = Backups(path, kept=1)
    opening, found = Preparation(path, backups, now()).run()
    assert opening.kind in {OpeningKind.NEW, OpeningKind.OPENED}, opening
    database = InlineDatabase(path)
    try:
        yield Store(
            database=database,
            backups=backups,
            opening=opening,
            found=found,
            now=now,
            retention=timedelta(days=400),
            backup_every=timedelta(hours=1),
        )
    finally:
        database.dispose()
