"""Turns of those who have much to do on the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_PASSES = 3
"""Of the event loop between two turns: a health probe takes about as many, to be accepted, read,
answered and hung up on."""


class Turns:
    """Lets one of them go on at a time, in the order in which they asked.

    So others, such as a health probe, wait for one piece of work or two, and not for as many
    as there are who work. Who is alone works in every pass of the event loop.
    """

    def __init__(self) -> None:
        self._members = 0
        self._is_taken = False
        """Somebody works, or has worked just now."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    @contextmanager
    def member(self) -> Iterator[None]:
        """Within it the caller is one of them, and may take turns."""
        self._members += 1
        try:
            yield
        finally:
            self._members -= 1

    async def take(self) -> None:
        """Give way, then wait until it is the caller's turn."""
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
        """To the one who has waited longest and still does."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                passes = _PASSES if self._members > 1 else 0
                asyncio.get_running_loop().call_soon(self._rest, passes)
                return
        self._is_taken = False

    def _rest(self, passes: int) -> None:
        """Pass on after so many further passes of the event loop."""
        if passes:
            asyncio.get_running_loop().call_soon(self._rest, passes - 1)
        else:
            self._pass_on()
