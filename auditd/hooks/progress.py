"""Which parts of a message have arrived, so that a retry sends only the others."""

from __future__ import annotations

from collections import OrderedDict


class Progress:
    """For receivers that take a message in parts, which can fail one by one.

    It is kept in memory: after a restart every part is sent again. So it serves where a part
    that arrives twice is a nuisance, or costs the time that the others need, but does no harm.
    """

    def __init__(self, *, messages: int = 1000) -> None:
        """`messages`: how many are remembered, the latest ones."""
        self._arrived: OrderedDict[str, set[str]] = OrderedDict()
        self._messages = messages

    def of(self, message_id: str) -> set[str]:
        """The parts that have arrived; the caller adds to it."""
        arrived = self._arrived.setdefault(message_id, set())
        self._arrived.move_to_end(message_id)
        while len(self._arrived) > self._messages:
            self._arrived.popitem(last=False)
        return arrived

    def forget(self, message_id: str) -> None:
        """All of it has arrived."""
        self._arrived.pop(message_id, None)
