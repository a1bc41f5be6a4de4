"""The polls that are under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Self

from auditd.audit.events import Emit, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.polling.agenda import Slot

MOST_ASKED = 64
"""Polls that may be asked for at once."""
ASKED_AT_ONCE = 4
"""How many of these may compete with the polls of slots for a credential's rate."""


class PollRefusedError(Exception):
    """A poll that was asked for is not made: too many are, or nothing is polled now."""


class Polls:
    """Never two of one project at once. Those that are asked for run within the context.

    Leaving the context by an exception cancels these and awaits them.

    Args:
        poll: raises nothing but CancelledError.
        emit: told of what is skipped.
        on_polled: called after each poll.
    """

    def __init__(
        self,
        poll: Callable[[Slot], Coroutine[None, None, None]],
        emit: Emit,
        *,
        on_polled: Callable[[], None],
    ) -> None:
        self._poll = poll
        self._emit = emit
        self._on_polled = on_polled
        self._group = asyncio.TaskGroup()
        self._under_way: dict[str, asyncio.Task[Any]] = {}
        self._asked: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(ASKED_AT_ONCE)
        self._is_open = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        await self._group.__aexit__(kind, error, traceback)

    async def perform(self, slot: Slot) -> None:
        """Poll for this slot, or skip it when the project's last poll still runs here.

        Whoever awaits this owns the poll: it ends when its task is cancelled, which `cancel` does.
        """
        name, task = slot.project.name, asyncio.current_task()
        if name in self._under_way or task is None:
            self._emit(PollSkipped(name, SkipReason.OVERLAP, slots=1))
            return
        self._under_way[name] = task
        try:
            await self._poll(slot)
            self._on_polled()
        finally:
            if self._under_way.get(name) is task:
                del self._under_way[name]

    async def poll_now(self, slot: Slot) -> None:
        """Return once the project was polled, by the poll that is under way if there is one.

        A caller who is cancelled stops waiting; the poll goes on.

        Raises:
            PollRefusedError: too many are asked for at once, or nothing is polled now.
        """
        name = slot.project.name
        task = self._under_way.get(name) or self._asked.get(name)
        if task is None:
            if not self._is_open or len(self._asked) >= MOST_ASKED:
                raise PollRefusedError
            task = self._group.create_task(self._poll_in_place(slot), name=f"asked poll:{name}")
            self._asked[name] = task
            task.add_done_callback(partial(self._forget_asked, name))
        await asyncio.wait({task})

    def cancel(self, name: str) -> None:
        """End the poll of a project that has left; one that comes by its name may start at once."""
        for tasks in (self._under_way, self._asked):
            if task := tasks.pop(name, None):
                task.cancel()

    async def _poll_in_place(self, slot: Slot) -> None:
        async with self._places:
            if task := self._under_way.get(slot.project.name):
                await asyncio.wait({task})
            else:
                await self.perform(slot)

    def _forget_asked(self, name: str, task: asyncio.Task[None]) -> None:
        if self._asked.get(name) is task:
            del self._asked[name]
