"""How each part of the store gets at the database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from auditd.store.batch import Work, at_once
from auditd.store.database import Database

_T = TypeVar("_T")


def _never() -> bool:
    return False


class Access:
    """Single works with a database, and the clock that they go by."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._is_touched = False
        """Whether anything was written since the store was opened."""

    async def _read(self, work: Callable[[Connection], _T]) -> _T:
        return await self._database.read(work)

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        self._is_touched = True
        result: _T = await self._database.write(Work(work))
        return result

    async def _record(
        self,
        work: Callable[[Connection, ExitStack], None],
        *amends: Callable[[Connection], None],
        unless: Callable[[], bool] = _never,
        put_off: Callable[[Connection], None] = at_once,
    ) -> None:
        """A work that changes what is known as stored, and gives `undo` what takes that back."""
        self._is_touched = True
        undo = ExitStack()
        await self._database.write(
            Work(partial(_do, work, undo), unless, put_off, undo.close, amends)
        )


def _do(work: Callable[[Connection, ExitStack], None], undo: ExitStack, to: Connection) -> None:
    work(to, undo)
