"""Gives memory that is free back to the system.

What lists and scrapes need for a moment leaves holes, after the first ones a tenth of all memory,
which glibc gives back only when it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

FIRST_SECONDS = 10.0
"""After the first lists: by then the first scrape has mostly been made too."""
INTERVAL_SECONDS = 600.0
"""Meanwhile allocations wait, for some milliseconds where there are a million authorizations."""


async def give_back(complete: asyncio.Event) -> None:
    """Do it for good once the first lists are `complete`; return where there is nothing to tell."""
    trim = await asyncio.to_thread(_find_trim)
    await complete.wait()
    pause_seconds = FIRST_SECONDS
    while trim:
        await asyncio.sleep(pause_seconds)
        await asyncio.to_thread(trim)
        pause_seconds = INTERVAL_SECONDS


def _find_trim() -> Callable[[], object] | None:
    """Source: malloc_trim(3). Other C libraries than glibc have none."""
    import ctypes  # noqa: PLC0415 -- takes some milliseconds, which a start has not

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return (lambda: trim(0)) if trim else None
