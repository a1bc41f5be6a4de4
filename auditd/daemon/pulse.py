"""The heartbeat under the configuration of the moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from structlog.typing import FilteringBoundLogger

from auditd.config.settings import HeartbeatSettings
from auditd.daemon.heartbeat import Heartbeat
from auditd.daemon.watch import utc_now
from auditd.hooks.http import HttpClient


class Pulse:
    """Beats as configured; a reload that changes nothing of it is not felt.

    Args:
        troubles: what is wrong with this daemon now, in sentences; empty when it is well.
        on_sent: told when a beat arrived.
        logger: where the changes are logged.
        claim: see Heartbeat.
    """

    def __init__(
        self,
        *,
        troubles: Callable[[], Sequence[str]],
        on_sent: Callable[[datetime], None],
        logger: FilteringBoundLogger,
        claim: Callable[[str, timedelta], Awaitable[bool]] | None = None,
    ) -> None:
        self._troubles = troubles
        self._on_sent = on_sent
        self._logger = logger
        self._claim = claim
        self._settings: HeartbeatSettings | None = None
        self._changed = asyncio.Event()

    def adopt(self, settings: HeartbeatSettings | None) -> None:
        """Go by these settings from now on."""
        if settings != self._settings:
            self._settings = settings
            self._changed.set()

    async def run(self, ready: asyncio.Event) -> NoReturn:
        """Beat until cancelled, at once when `ready` is set."""
        async with HttpClient() as http:
            while True:
                self._changed.clear()
                async with asyncio.TaskGroup() as group:
                    if settings := self._settings:
                        beating = group.create_task(self._heart(settings, http).run(ready))
                    await self._changed.wait()
                    if settings:
                        beating.cancel()

    def _heart(self, settings: HeartbeatSettings, http: HttpClient) -> Heartbeat:
        return Heartbeat(
            url=settings.url,
            interval=settings.interval,
            http=http,
            troubles=self._troubles,
            on_sent=self._on_sent,
            logger=self._logger,
            now=utc_now,
            claim=self._claim,
        )
