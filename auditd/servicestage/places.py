"""The places for work that goes on at once, whose number may change meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Places:
    """As many as there are may be held at once; whoever waits gets one in the order of asking.

    When their number shrinks nobody loses a place that is held: as many as are too many are not
    given again.

    Args:
        capacity: how many there are, at least 1.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._free = capacity
        """Below 0 while more are held than there are."""
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_giving = False

    def take(self) -> bool:
        """Take a place if one is free, which nobody waits for then."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def ask(self, on_place: Callable[[], None]) -> None:
        """Have `on_place` called, perhaps at once, when a place has been taken for it."""
        self._waiting.append(on_place)
        self._give()

    def release(self) -> None:
        """Give a place back."""
        self._free += 1
        if self._waiting:
            self._give()

    def resize(self, capacity: int) -> None:
        """Have this many places from now on, at least 1."""
        self._free += capacity - self._capacity
        self._capacity = capacity
        self._give()

    def _give(self) -> None:
        if self._is_giving:  # whoever just got a place asks for another, or gives it back
            return
        self._is_giving = True
        try:
            while self._waiting and self.take():
                self._waiting.popleft()()
        finally:
            self._is_giving = False
