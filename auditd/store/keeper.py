"""What the store does by itself from time to time."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from auditd.audit.rhythm import until_beat
from auditd.store.errors import StoreError

SAVE_EVERY_SECONDS = 5.0
"""Quiet polls since then are unknown after a kill, and a disk that can be written again is noticed
within that time."""
_CLEAN_EVERY_SECONDS = 300.0

_log = logging.getLogger(__name__)


class Chores(Protocol):
    """What is done; the Store fulfils it."""

    async def save(self) -> None:
        """Write what was held back. Raises StoreError."""

    async def prune(self) -> None:
        """Forget what is too old. Raises StoreError."""

    async def back_up_if_due(self) -> None:
        """Make a backup if the last one is too old. Raises StoreError."""


async def keep(store: Chores) -> None:
    """Do the chores until cancelled. What fails is logged and done again later."""
    loop = asyncio.get_running_loop()
    clean_at = loop.time()
    while True:
        await asyncio.sleep(until_beat(loop.time(), SAVE_EVERY_SECONDS))
        woken_at = round(loop.time())
        try:
            await store.save()
            if woken_at >= clean_at:
                clean_at = woken_at + _CLEAN_EVERY_SECONDS
                await store.prune()
                await store.back_up_if_due()
        except StoreError as error:
            _log.warning("the state is not kept as it should be: %s", error)
        except Exception:  # noqa: BLE001 -- the loop must survive; logged
            _log.exception("a chore of the store failed inside this program")
