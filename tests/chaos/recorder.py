"""A hook that enters what it takes in a chronicle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from auditd.hooks.payload import native
from auditd.hooks.port import Message
from tests.chaos.chronicle import Chronicle


class Recorder:
    """Takes a message after `seconds`, unless `judge` raises."""

    kind = "recorder"
    limit: int | None = None
    messages_per_minute: int | None = None

    def __init__(
        self, name: str, chronicle: Chronicle, judge: Callable[[], None], *, seconds: float = 0.05
    ) -> None:
        self.name = name
        self._chronicle = chronicle
        self._judge = judge
        self._seconds = seconds

    async def send(self, message: Message) -> None:
        await asyncio.sleep(self._seconds)
        self._judge()
        self._chronicle.accepted(self.name, message.id, native(message))
