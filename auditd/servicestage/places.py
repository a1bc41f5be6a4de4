"""The places for work that goes on at once, whose number may change meanwhile."""

from __future__ import annotations

import asyncio


class Places:
    """A fair semaphore whose capacity can be changed.

    When it shrinks nobody loses a place that is held: as many as are too many are not given
    again.

    Args:
        capacity: how many there are, at least 1.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._excess = 0
        """How many permits of the semaphore do not stand for a place any more."""
        self._permits = asyncio.Semaphore(capacity)

    @property
    def is_one_free(self) -> bool:
        """Whether `acquire` would not wait, nor take anybody's turn."""
        return not self._excess and not self._permits.locked()

    async def acquire(self) -> None:
        """Wait for a place, in the order of asking."""
        await self._permits.acquire()
        while self._excess:
            self._excess -= 1
            await self._permits.acquire()

    def release(self) -> None:
        """Give a place back."""
        if self._excess:
            self._excess -= 1
        else:
            self._permits.release()

    def resize(self, capacity: int) -> None:
        """Have this many places from now on, at least 1."""
        surplus = self._excess + self._capacity - capacity
        self._capacity, self._excess = capacity, max(surplus, 0)
        for _ in range(-surplus):
            self._permits.release()
