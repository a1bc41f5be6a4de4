"""How a process is told to stop, and that it then does."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

THREADS_SECONDS = 3.0


class Stop:
    """A request to stop, and who made it. The first one counts."""

    def __init__(self) -> None:
        self._requested = asyncio.Event()
        self.reason = ""
        self.error: Exception | None = None
        """Why the daemon cannot go on; None when somebody wants it to end."""

    def request(self, reason: str, error: Exception | None = None) -> None:
        """Ask for the stop. `reason` is for the log, for example `SIGTERM`."""
        if not self._requested.is_set():
            self.reason, self.error = reason, error
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


@contextmanager
def heeding_hangups(hangup: asyncio.Event) -> Iterator[None]:
    """SIGHUP sets the event instead of ending the process."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def leave_soon(seconds: float = THREADS_SECONDS) -> None:
    """End the process with 0 after this time, unless it has ended by itself before.

    For the end of the main coroutine, when all is closed. What may remain is a thread that waits
    for a dead name server or file system: Python would join it, for as long as that takes.
    """
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()
