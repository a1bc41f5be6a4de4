"""Deadlines of all that goes on at once, by one timer."""

from __future__ import annotations

import asyncio
import math
from types import TracebackType
from typing import Protocol

_EARLY_SECONDS = 0.001
"""The loop calls a timer that little ahead of its instant."""


class Limited(Protocol):
    """What may take until `at`, an instant of the loop's clock."""

    at: float

    def expire(self) -> None:
        """The time is over. Not called twice."""


class Deadlines:
    """Ends what takes too long, as asyncio.timeout_at does.

    That one sets a timer for each block and takes it back again. Hardly any block of ours comes
    to its deadline, and one timer, for the first of them, costs a third of that.
    """

    def __init__(self) -> None:
        self._under_way: dict[Limited, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = math.inf

    def until(self, at: float) -> Deadline:
        """A context that ends with TimeoutError at `at`, an instant of the loop's clock."""
        return Deadline(self, at)

    def begin(self, limited: Limited) -> None:
        """Watch it."""
        self._under_way[limited] = None
        if limited.at < self._next_at:
            self._set(limited.at)

    def end(self, limited: Limited) -> None:
        """Watch it no more."""
        self._under_way.pop(limited, None)

    def _set(self, at: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._next_at = at
        self._timer = asyncio.get_running_loop().call_at(at, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time() + _EARLY_SECONDS
        for limited in [each for each in self._under_way if each.at <= now]:
            del self._under_way[limited]
            limited.expire()
        self._timer, self._next_at = None, math.inf
        if (at := min((each.at for each in self._under_way), default=math.inf)) < math.inf:
            self._set(at)


class Deadline:
    """Of one block of one task. It is entered once."""

    __slots__ = ("_cancelling", "_deadlines", "_is_over", "_task", "at")

    def __init__(self, deadlines: Deadlines, at: float) -> None:
        self.at = at
        self._deadlines = deadlines
        self._is_over = False
        self._task: asyncio.Task[object]
        self._cancelling: int

    def expire(self) -> None:
        """The time is over."""
        self._is_over = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            msg = "a deadline is for what a task does"
            raise RuntimeError(msg)
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Source: asyncio.timeouts: who else has cancelled the task has the last word."""
        self._deadlines.end(self)
        is_last_word = self._is_over and self._task.uncancel() <= self._cancelling
        if is_last_word and kind is asyncio.CancelledError:
            raise TimeoutError from error
