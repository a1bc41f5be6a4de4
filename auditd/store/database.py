"""One thread and one connection, through which everything goes in the order of the asking."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, takewhile, zip_longest
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection

from auditd.store.backing import Backing
from auditd.store.batch import Batch, Done, Work, read
from auditd.store.errors import StoreFault
from auditd.store.writer import Writer

MOST = 500
"""Works in one transaction."""

_T = TypeVar("_T")
Way: TypeAlias = Callable[[Sequence[Work]], Batch]


@dataclass(eq=False, slots=True)
class _Request:
    """What somebody waits for."""

    way: Way
    work: Work
    answer: asyncio.Future[Any] = field(default_factory=asyncio.Future[Any])
    is_taken: bool = False
    is_withdrawn: bool = False


class Database:
    """Does works with a database, each as a whole or not at all.

    All works that wait at a moment share one transaction, and so the price of its commit; they
    are answered when that is over. A transaction begins with the first statement, so that a work
    without one costs nothing. Whoever is cancelled while his work waits for its turn has done
    nothing; once it is under way it is finished first, and the cancellation comes after.
    """

    def __init__(self, backing: Backing) -> None:
        self.fault: StoreFault | None = None
        """Why the last write failed; None when it did not."""
        self.backing = backing
        self._writes: Way = Writer(backing).write
        self._reads: Way = partial(read, backing)
        self._waiting: deque[_Request] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")

    @property
    def is_writable(self) -> bool:
        """Whether the last write succeeded."""
        return self.fault is None

    async def write(self, work: Work) -> Any:
        """What the work returns, once that is committed; None when there was nothing to do.

        Raises StoreWriteError, StoreConflictError, or what the work raises.
        """
        is_idle = self._runner is None and self.fault is None
        if is_idle and work.unless():  # asked here it spares a thousand quiet polls the thread
            return None
        return await self._ask(self._writes, work)

    async def read(self, work: Callable[[Connection], _T]) -> _T:
        """Raises StoreReadError, or what `work` raises."""
        result: _T = await self._ask(self._reads, Work(work))
        return result

    async def alone(self, work: Callable[[Backing], None]) -> None:
        """Run what cannot be within a transaction; the others wait meanwhile."""

        def run(_works: Sequence[Work]) -> Batch:
            try:
                work(self.backing)
            except Exception as error:  # noqa: BLE001 -- whoever asked gets it
                return Batch([error])
            return Batch([Done()])

        await self._ask(run, Work(lambda _: None))

    async def close(self) -> None:
        """Wait for all that was asked for, and close the connection."""
        await self.alone(lambda backing: backing.writes.dispose())
        self._thread.shutdown(wait=False)

    async def _ask(self, way: Way, work: Work) -> Any:
        request = _Request(way, work)
        self._waiting.append(request)
        self._runner = self._runner or asyncio.create_task(self._run(), name="store")
        while not request.answer.done():
            try:
                await asyncio.wait({request.answer})
            except asyncio.CancelledError:
                request.is_withdrawn = True
                if not request.is_taken:
                    self._waiting.remove(request)
                    raise
        if request.is_withdrawn:
            request.answer.exception()  # was seen by nobody, and is said by the next write
            raise asyncio.CancelledError
        return request.answer.result()

    async def _run(self) -> None:
        """Answer whoever waits, until nobody does."""
        try:
            while self._waiting:
                await self._do_some()
        except BaseException as error:
            for request in self._waiting:
                request.answer.set_exception(error)
            self._waiting.clear()
            raise
        finally:
            self._runner = None

    async def _do_some(self) -> None:
        """As many as can share a transaction. A cancellation comes after it."""
        way = self._waiting[0].way
        first = islice(self._waiting, MOST)
        requests = [*takewhile(lambda request: request.way is way, first)]
        for request in requests:
            request.is_taken = True
        doing = self._hand_over(way, [request.work for request in requests])
        is_cancelled = False
        while not doing.done():
            try:
                await asyncio.wait({doing})
            except asyncio.CancelledError:
                is_cancelled = True
        self._answer(requests, doing.result())
        if is_cancelled:
            raise asyncio.CancelledError

    def _hand_over(self, way: Way, works: Sequence[Work]) -> asyncio.Future[Batch]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, way, works)

    def _answer(self, requests: Sequence[_Request], batch: Batch) -> None:
        """Those whose works were not reached wait on, or were cancelled meanwhile."""
        if batch.is_committed or batch.fault:
            self.fault = batch.fault
        for request, outcome in zip_longest(requests, batch.outcomes):
            if outcome is None and not request.is_withdrawn:
                request.is_taken = False
                continue
            self._waiting.remove(request)
            match outcome:
                case Done(value):
                    request.answer.set_result(value)
                case None:
                    request.answer.set_exception(asyncio.CancelledError())
                case error:
                    request.answer.set_exception(error)
