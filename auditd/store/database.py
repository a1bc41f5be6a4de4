"""One connection and one transaction at a time, each a whole or nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from auditd.store.errors import StoreConflictError, StoreFault, StoreReadError, StoreWriteError
from auditd.store.sqlite import READS, fault_of

_T = TypeVar("_T")


class Database:
    """Runs functions of a connection as transactions, in the order in which they were asked for.

    A transaction begins with the first statement, so that a function without one costs nothing.
    Whoever is cancelled while his transaction waits for its turn has done nothing; once it runs
    it is finished first, and the cancellation comes after.
    """

    def __init__(self, engine: AsyncEngine, path: Path) -> None:
        self.path = path
        self.fault: StoreFault | None = None
        """Why the last write failed; None when it did not."""
        self._engine = engine
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()

    @property
    def is_writable(self) -> bool:
        """Whether the last write succeeded."""
        return self.fault is None

    async def write(
        self,
        work: Callable[[Connection], _T],
        then: Callable[[_T], None],
        *,
        unless: Callable[[], bool] | None = None,
    ) -> None:
        """Run `work`, and `then` with its result as soon as that is committed.

        `unless` is asked first, when all earlier transactions are over: if it is true there is
        nothing to do. Raises StoreWriteError, StoreConflictError, or what `work` raises.
        """
        async with self._turn:
            if unless is None or not unless():
                await _finish(self._write(work, then))

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """Raises StoreReadError, or what `work` raises."""
        async with self._turn:
            return await _finish(self._read(work))

    async def copy(self, work: Callable[[Connection], None]) -> None:
        """Run what cannot be within a transaction, and whose failure stops no write.

        Raises StoreWriteError.
        """
        async with self._turn:
            await _finish(self._copy(work))

    async def close(self) -> None:
        """Wait for the transaction under way and close the connection."""
        async with self._turn:
            if self._connection:
                await self._connection.close()
            await self._engine.dispose()

    async def _write(self, work: Callable[[Connection], _T], then: Callable[[_T], None]) -> None:
        try:
            result, has_begun = await self._transact(work)
        except IntegrityError as error:
            msg = f"the state in {self.path} has something else already; nothing was changed"
            raise StoreConflictError(msg) from error
        except DBAPIError as error:
            self.fault = fault_of(error.orig)
            raise StoreWriteError(self.fault, str(self.path)) from error
        if has_begun:
            self.fault = None
        then(result)

    async def _read(self, work: Callable[[Connection], _T]) -> _T:
        try:
            result, _ = await self._transact(work, is_read=True)
        except DBAPIError as error:
            raise StoreReadError(fault_of(error.orig), str(self.path)) from error
        return result

    async def _copy(self, work: Callable[[Connection], None]) -> None:
        try:
            await self._transact(work)
        except (DBAPIError, sqlite3.Error) as error:
            fault = fault_of(error.orig if isinstance(error, DBAPIError) else error)
            raise StoreWriteError(fault, f"a copy of {self.path}") from error

    async def _transact(
        self, work: Callable[[Connection], _T], *, is_read: bool = False
    ) -> tuple[_T, bool]:
        """The result, and whether there was a transaction at all.

        After a failure the pool gets its connection back, and rolls back. A Connection of
        SQLAlchemy 2.1 whose BEGIN failed would run all that comes after without a transaction.
        """
        connection, self._connection = self._connection or await self._engine.connect(), None
        try:
            connection.info[READS] = is_read
            result = await connection.run_sync(work)
            has_begun = connection.in_transaction()
            await connection.commit()
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        return result, has_begun


async def _finish(work: Coroutine[None, None, _T]) -> _T:
    """The result of `work`, which a cancellation of the caller does not reach."""
    task = asyncio.create_task(work, name="store-transaction")
    is_cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        task.exception()  # was seen by nobody, and is said by the next write
        raise asyncio.CancelledError
    return task.result()
