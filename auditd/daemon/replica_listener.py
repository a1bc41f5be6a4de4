"""Hears at once what other replicas have changed.

Source: https://www.psycopg.org/psycopg3/docs/advanced/async.html#asynchronous-notifications
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import psycopg

from auditd.store.revisions import CHANNEL

BACK_OFF_SECONDS = 1.0

_CONNECT: Mapping[str, Any] = {
    "application_name": "servicestage-auditd listener",
    "connect_timeout": 5,
    # A network that swallows everything is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}

_log = logging.getLogger(__name__)


class Listener:
    """Listens until cancelled, on a connection of its own; one that is lost is made again.

    Args:
        url: of the database, for libpq.
        replica: the name of this process, whose own notices are passed over.
        on_notice: called for each notice, and when some may have been missed.
    """

    def __init__(self, url: str, replica: str, on_notice: Callable[[], None]) -> None:
        self._url = url
        self._replica = replica
        self._on_notice = on_notice

    async def run(self) -> NoReturn:
        """Listen."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                said = " ".join(str(error).split())[:256]
                _log.warning("what other replicas change is heard late: %s", said)
                task = asyncio.current_task()
                if task and task.cancelling():  # psycopg can lose that while a connection breaks
                    raise asyncio.CancelledError from error
            await asyncio.sleep(BACK_OFF_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **_CONNECT)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._on_notice()
            async for notice in connection.notifies():
                if not notice.payload.endswith(f" {self._replica}"):
                    self._on_notice()
