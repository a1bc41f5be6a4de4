"""How a process is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """A request to stop, and who made it. The first one counts."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self.reason = ""

    def request(self, reason: str) -> None:
        """Ask for the stop. `reason` is for the log, for example `SIGTERM`."""
        if not self._requested.is_set():
            self.reason = reason
            self._requested.set()

    async def wait(self) -> None:
        """Until it was asked for."""
        await self._requested.wait()


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """SIGTERM and SIGINT ask for the stop instead of ending the process where it stands."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.request, number.name)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
