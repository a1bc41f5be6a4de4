"""Turns of those who have much to do on the event loop."""

from __future__ import annotations

import asyncio
from collections import deque


class Turns:
    """Lets one of them go on in each pass of the event loop, in the order in which they asked.

    So others, such as a health probe, wait for one piece of work in a pass and not for as many
    as there are who work.
    """

    def __init__(self) -> None:
        self._is_taken = False
        """Somebody works in this pass."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Give way, then wait for a pass in which nobody else has worked."""
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        if self._is_taken:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn
        else:
            self._is_taken = True
            loop.call_soon(self._pass_on)

    def _pass_on(self) -> None:
        """In the next pass: to the one who has waited longest and still does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._pass_on)
                return
        self._is_taken = False
