"""What a loop sleeps by."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress

_SHORTEST_SECONDS = 0.001
"""Less would only make a loop spin until the clock has moved."""


class Alarm:
    """Wakes whoever waits after a time, and before it when something changed.

    It must be waited for right after looking: what rang before the wait is forgotten.
    """

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something changed: look again."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Until rung, but for so long at most; infinite is for ever."""
        self._rung.clear()
        deadline = None if math.isinf(seconds) else max(seconds, _SHORTEST_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline):
                await self._rung.wait()
