"""Running a program so that nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

from auditd.hooks.port import ProcessEnd

COMPLAINT_LIMIT_BYTES = 4096
_LAST_WORDS_SECONDS = 0.5
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
"""All that a program gets: our own environment may hold secrets."""


async def run_process(
    command: Sequence[str], stdin: bytes, *, timeout_seconds: float
) -> ProcessEnd:
    """See RunProcess.

    The program's output is thrown away, and of its standard error the end is kept. It gets a
    session of its own, thus a process group, which is killed at the deadline, on cancellation,
    and once the program itself has ended.
    """
    transport, conversation = await asyncio.get_running_loop().subprocess_exec(
        _Conversation,
        *command,
        stdin=PIPE,
        stdout=DEVNULL,
        stderr=PIPE,
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )
    feed = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
    try:
        feed.write(stdin)
        feed.close()
        async with asyncio.timeout(timeout_seconds):
            await conversation.ended.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        await asyncio.shield(conversation.last_words())
        transport.close()
    return ProcessEnd(transport.get_returncode() or 0, conversation.complaint)


class _Conversation(asyncio.SubprocessProtocol):
    """Hears the program's complaints, and of its end.

    `Process.wait` would also wait for whoever inherited the pipes (python/cpython#119710).
    """

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.complaint = b""
        self._silent = asyncio.Event()

    def pipe_data_received(self, _: int, data: bytes) -> None:
        self.complaint = (self.complaint + data)[-COMPLAINT_LIMIT_BYTES:]

    def pipe_connection_lost(self, fd: int, _: Exception | None) -> None:
        if fd == 2:  # noqa: PLR2004 # standard error
            self._silent.set()

    def process_exited(self) -> None:
        self.ended.set()

    async def last_words(self) -> None:
        """Wait for the end of the killed program, and for what it said before, but not for long."""
        await self.ended.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._silent.wait()
