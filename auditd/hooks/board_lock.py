"""Who may change what of the board now, so that what does not touch is written together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType


class BoardLock:
    """Keeps changes of the same thing apart, from reading what they are based on to the end.

    Polls of different projects, and flushes of different groups, go on side by side. A poll and
    the flush of a group that it touches do not, nor do two polls of one project. Who enters the
    lock itself is alone, and comes before those who ask later.

    Nobody waits for himself and no two for each other: who holds groups waits for no lock.
    """

    def __init__(self) -> None:
        self._alone = asyncio.Lock()
        self._changing = 0
        self._projects: set[str] = set()
        self._polled: Counter[str] = Counter()
        """Group key -> the polls under way that touch the group."""
        self._flushed: set[str] = set()
        self._waiting = 0
        self._changed = asyncio.Event()

    async def __aenter__(self) -> None:
        await self._alone.acquire()
        try:
            await self._until(lambda: not self._changing)
        except BaseException:
            self._leave()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()

    @asynccontextmanager
    async def project(self, name: str) -> AsyncIterator[None]:
        """The alerts of one project are changed."""
        await self._until(lambda: not self._alone.locked() and name not in self._projects)
        self._changing += 1
        self._projects.add(name)
        try:
            yield
        finally:
            self._changing -= 1
            self._projects.remove(name)
            self._announce()

    async def flushed(self, keys: Collection[str]) -> bool:
        """Wait until none of these groups is being flushed. Whether that took no time at all."""
        if self._flushed.isdisjoint(keys):
            return True
        await self._until(lambda: self._flushed.isdisjoint(keys))
        return False

    @contextmanager
    def touching(self, keys: Collection[str]) -> Iterator[None]:
        """Within `project`: alerts of these groups are changed, or come to them.

        None of them is being flushed.
        """
        self._polled.update(keys)
        try:
            yield
        finally:
            self._polled.subtract(keys)
            for key in keys:
                if not self._polled[key]:
                    del self._polled[key]
            self._announce()

    @asynccontextmanager
    async def flushing(self, key: str) -> AsyncIterator[None]:
        """A group is flushed."""
        await self._until(lambda: not self._alone.locked() and not self._polled[key])
        self._changing += 1
        self._flushed.add(key)
        try:
            yield
        finally:
            self._changing -= 1
            self._flushed.remove(key)
            self._announce()

    def is_touched(self, key: str) -> bool:
        """Whether a poll that touches the group is under way."""
        return key in self._polled

    def _leave(self) -> None:
        self._alone.release()
        self._announce()

    async def _until(self, is_free: Callable[[], bool]) -> None:
        while not is_free():
            changed = self._changed
            self._waiting += 1
            try:
                await changed.wait()
            finally:
                self._waiting -= 1

    def _announce(self) -> None:
        if self._waiting:
            self._changed.set()
            self._changed = asyncio.Event()
