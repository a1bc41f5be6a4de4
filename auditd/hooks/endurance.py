"""Work that is better finished than broken off."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

GRACE_SECONDS = 5.0
"""How long a cancelled loop waits for what it has begun; the daemon ends within ten."""


async def see_through(work: Coroutine[Any, Any, None], *, name: str) -> None:
    """Await `work` to its end. Raises what it raises.

    When the caller is cancelled meanwhile, the work still has GRACE_SECONDS; after that it is
    cancelled as well. Either way it has ended when this returns or raises.
    """
    task = asyncio.create_task(work, name=name)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=GRACE_SECONDS)
        raise
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
