"""The connections of a listener, of which there may be only so many.

Whoever opens many and sends nothing must not keep others out: when there is no room, the
connection that has waited longest for a request makes some.
"""

from __future__ import annotations

from typing import Protocol


class Connection(Protocol):
    """Can be ended at once."""

    def abort(self) -> None:
        """End it without a word."""


class Connections:
    """Up to `most` connections. Each is waiting for a request, or at work on one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: dict[Connection, None] = {}
        """In the order in which they began to wait."""
        self._working: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._working)

    def enter(self, connection: Connection) -> bool:
        """Take a new one in, which waits; False when all others are at work."""
        if len(self) >= self._most:
            longest = next(iter(self._waiting), None)
            if longest is None:
                return False
            self.leave(longest)
            longest.abort()
        self._waiting[connection] = None
        return True

    def work(self, connection: Connection) -> None:
        """A request has come. Has no effect on one that has left."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._working.add(connection)

    def rest(self, connection: Connection) -> None:
        """The request is answered. Has no effect on one that has left."""
        if connection in self._working:
            self._working.remove(connection)
            self._waiting[connection] = None

    def leave(self, connection: Connection) -> None:
        """It is closed. Idempotent."""
        self._waiting.pop(connection, None)
        self._working.discard(connection)
