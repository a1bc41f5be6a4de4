"""Keeps the secrets that stand in files as new as the files, away from the event loop."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterable
from typing import NoReturn

from auditd.audit.plugin import Secret
from auditd.config.secret import LOOK_INTERVAL_SECONDS, FileSecret


class SecretWatch:
    """Looks at the file of every secret that somebody still holds, once a second in a thread.

    Without any it sleeps. A disk that hangs costs this thread and nothing else: everybody goes on
    with what was read.
    """

    def __init__(self) -> None:
        self._watched: list[weakref.ref[FileSecret]] = []
        self._has_some = asyncio.Event()

    def add(self, secrets: Iterable[Secret]) -> None:
        """Watch these too. Those that nobody holds any more are forgotten."""
        kept = [reference for reference in self._watched if reference()]
        new = [weakref.ref(secret) for secret in secrets if isinstance(secret, FileSecret)]
        self._watched = [*kept, *new]
        if self._watched:
            self._has_some.set()
        else:
            self._has_some.clear()

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        while True:
            await self._has_some.wait()
            await asyncio.to_thread(_look, tuple(self._watched))
            await asyncio.sleep(LOOK_INTERVAL_SECONDS)


def _look(references: Iterable[weakref.ref[FileSecret]]) -> None:
    for reference in references:
        if secret := reference():
            secret.look()
