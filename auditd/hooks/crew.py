"""Works that go on side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from auditd.hooks.endurance import GRACE_SECONDS


class Crew:
    """At most `most` works at once, owned by an asynchronous context.

    Leaving it waits for the works under way: without end when it is left in peace, for
    GRACE_SECONDS when it is left by an exception, such as a cancellation; then they are cancelled.
    """

    def __init__(self, most: int) -> None:
        self._places = asyncio.Semaphore(most)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=GRACE_SECONDS if error else None)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def place(self) -> bool:
        """Wait until another work can begin, then always true."""
        return await self._places.acquire()

    def begin(self, work: Coroutine[Any, Any, None], *, name: str) -> None:
        """Begin the work for which there is a place. It raises nothing."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._places.release()
