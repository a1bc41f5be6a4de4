"""The polls that are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Self

from auditd.audit.events import Emit, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.polling.agenda import Slot


class Polls:
    """One task a poll, never two of one project, all owned by one TaskGroup.

    Submitting does no work and never waits, so a slow project delays no other. Leaving the
    context by an exception cancels the polls under way and awaits them.
    """

    def __init__(self, poll: Callable[[Slot], Coroutine[None, None, None]], emit: Emit) -> None:
        self._poll = poll
        self._emit = emit
        self._group = asyncio.TaskGroup()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._group.__aexit__(kind, error, traceback)

    def submit(self, slot: Slot) -> None:
        """Start the poll of this slot, or skip it when the project's last one still runs."""
        name = slot.project.name
        if name in self._under_way:
            self._emit(PollSkipped(name, SkipReason.OVERLAP, slots=1))
            return
        task = self._group.create_task(self._poll(slot), name=f"poll:{name}")
        self._under_way[name] = task
        task.add_done_callback(lambda done: self._forget(name, done))

    def cancel(self, name: str) -> None:
        """End the poll of a project that has left; one that comes by its name may start at once."""
        if task := self._under_way.pop(name, None):
            task.cancel()

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        if self._under_way.get(name) is task:
            del self._under_way[name]
