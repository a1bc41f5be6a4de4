"""Failpoints: the places at which something goes wrong, and what goes wrong there.

They lie in the ports and not in the product: before and after each call of the store's and of a
hook's that is waited for. One that returns at once has only noted something.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Never, cast

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.hooks.port import Hook, Message
from auditd.hooks.sending import HANG_SECONDS
from auditd.store.errors import StoreFault, StoreWriteError
from tests.chaos.chronicle import Chronicle
from tests.chaos.pipeline import Books

_LONGEST_SECONDS = HANG_SECONDS + 20.0
"""Until the kill, so that a sender that hangs is given up and its message sent again."""
SEND = "send"


class Edge(StrEnum):
    """The sides of a call."""

    BEFORE = "before"
    AFTER = "after"


class Mode(StrEnum):
    """What goes wrong."""

    KILL = "kill"
    EXCEPTION = "exception"
    HANG = "hang, then kill"
    CANCEL = "cancel"
    """The daemon is told to stop at this very moment."""
    CANCEL_HANGING = "cancel while it hangs"
    """And what is under way does not end within the time of grace."""

    @property
    def hangs_seconds(self) -> float:
        """How long nothing is decided."""
        return _LONGEST_SECONDS if self is Mode.HANG else 0.0


@dataclass(frozen=True, slots=True)
class Point:
    """One side of one call."""

    method: str
    edge: Edge
    state: DeliveryState | None = None
    """That the call gives a delivery, if it does nothing else."""

    def __str__(self) -> str:
        return f"{self.edge} {self.method}" + (f" as {self.state}" if self.state else "")

    @property
    def modes(self) -> list[Mode]:
        """What can go wrong here.

        A call of the store's that raises has stored nothing: that is its contract. So it fails
        before it does anything, and not after.
        """
        is_stored = self.edge is Edge.AFTER and self.method != SEND
        return [mode for mode in Mode if mode is not Mode.EXCEPTION or not is_stored]


def points() -> list[Point]:
    """All there are: whoever adds a method to a port adds its points."""
    sides = [Point(SEND, edge) for edge in Edge]
    for name, method in inspect.getmembers(Books, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            parameters = list(inspect.signature(method, eval_str=True).parameters.values())[1:]
            is_about_state = [it.annotation for it in parameters] == [Delivery]
            states = list(DeliveryState) if is_about_state else [None]
            sides += [Point(name, edge, state) for state in states for edge in Edge]
    return sides


class Trap:
    """Lets something go wrong when a point is reached for the `hit`th time, from 1."""

    def __init__(self, point: Point | None, mode: Mode, hit: int, chronicle: Chronicle) -> None:
        self.hits: Counter[Point] = Counter()
        self.cancel: Callable[[], object] = lambda: None
        """Stops the daemon."""
        self._point = point
        self.mode = mode
        self._hit = hit
        self._chronicle = chronicle

    async def reach(self, point: Point) -> None:
        self.hits[point] += 1
        if point == self._point and self.hits[point] == self._hit:
            self._chronicle.reached(str(point))
            await self._go_off(point)

    async def _go_off(self, point: Point) -> None:
        match self.mode:
            case Mode.KILL:
                _die()
            case Mode.EXCEPTION if point.method == SEND:
                raise ConnectionResetError
            case Mode.EXCEPTION:
                raise StoreWriteError(StoreFault.FULL, "the disk of this test")
            case Mode.HANG:
                asyncio.get_running_loop().call_later(_LONGEST_SECONDS, _die)
                await asyncio.Event().wait()
            case Mode.CANCEL:
                self.cancel()
                await asyncio.sleep(1.0)  # less than the time of grace
            case Mode.CANCEL_HANGING:
                self.cancel()
                await asyncio.Event().wait()


def _die() -> Never:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


class _TrappedBooks:
    """The calls that come while one waits to begin wait for it, as the order is the store's."""

    def __init__(self, books: Any, trap: Trap) -> None:
        self._order = asyncio.Lock()
        self._books = books
        self._trap = trap

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._books, name)
        if not inspect.iscoroutinefunction(method):
            return cast("Callable[..., Any]", method)

        async def call(*arguments: Any, **named: Any) -> Any:
            is_about_state = len(arguments) == 1 and isinstance(arguments[0], Delivery)
            state = arguments[0].state if is_about_state else None
            async with self._order:
                await self._trap.reach(Point(name, Edge.BEFORE, state))
            result = await method(*arguments, **named)
            await self._trap.reach(Point(name, Edge.AFTER, state))
            return result

        return call


def trapped(books: Books, trap: Trap) -> Books:
    """The store behind a trap."""
    return cast("Books", _TrappedBooks(books, trap))


class TrappedHook:
    """A hook behind a trap."""

    kind = "trapped"

    def __init__(self, hook: Hook, trap: Trap, chronicle: Chronicle) -> None:
        self.name = hook.name
        self.limit = hook.limit
        self.messages_per_minute = hook.messages_per_minute
        self._hook = hook
        self._trap = trap
        self._chronicle = chronicle

    async def send(self, message: Message) -> None:
        await self._trap.reach(Point(SEND, Edge.BEFORE))
        await self._hook.send(message)
        try:
            await self._trap.reach(Point(SEND, Edge.AFTER))
        except (ConnectionResetError, asyncio.CancelledError):
            if self._trap.mode in {Mode.EXCEPTION, Mode.HANG}:  # it is sent again by this process
                self._chronicle.unheard(message.id)
            raise
