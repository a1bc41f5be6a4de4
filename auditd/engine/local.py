"""An engine within this process: everything is begun at once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NoReturn

from auditd.engine.port import EngineStats, Handler, Job

AT_LEAST, AT_MOST = 2, 8
"""Jobs that are begun in one pass of the event loop. Each takes a tenth of a millisecond of it, and
so does the answer of one that was begun before. A health probe waits for several passes."""
_BACKLOG = 64
"""Jobs that wait, as after a start, for each that is begun in a pass: fewer would take longer."""


class LocalEngine:
    """One task a job, all owned by one TaskGroup, so a slow one delays no other.

    What is submitted before it runs, waits.
    """

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._running = 0
        self._submitted = asyncio.Event()

    def submit(self, jobs: Iterable[Job], transaction: object | None = None) -> None:  # noqa: ARG002 -- see Engine; there is nothing to wait for
        """See Engine."""
        for job in jobs:
            self._waiting.setdefault((job.kind, job.key), job)
        self._submitted.set()

    async def run(self, handlers: Mapping[str, Handler]) -> NoReturn:
        """See Engine."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._submitted.wait()
                self._submitted.clear()
                while self._waiting:
                    waiting = len(self._waiting)
                    for _ in range(min(waiting, AT_MOST, max(AT_LEAST, waiting // _BACKLOG))):
                        _, job = self._waiting.popitem(last=False)
                        name = f"{job.kind} of {job.key}"
                        group.create_task(self._do(handlers[job.kind], job), name=name)
                    await asyncio.sleep(0)

    async def _do(self, handler: Handler, job: Job) -> None:
        self._running += 1
        try:
            await handler(job)
        finally:
            self._running -= 1

    def stats(self) -> EngineStats:
        """See Engine."""
        return EngineStats(running=self._running)
