from __future__ import annotations

import asyncio
import ctypes
from pathlib import Path

import pytest

from auditd.daemon.free_memory import FIRST_SECONDS, give_back

pytestmark = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc can be told"
)


def _resident() -> int:
    """Bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


@pytest.mark.looptime
async def test_what_was_needed_for_a_moment_is_given_back_after_the_first_lists() -> None:
    complete = asyncio.Event()
    giving = asyncio.create_task(give_back(complete))
    among = [bytes(5000) for _ in range(20_000)]
    del among[1::2], among[:-1]  # the last one holds up what lies below it
    await asyncio.sleep(2 * FIRST_SECONDS)
    before = _resident()
    complete.set()
    await asyncio.sleep(2 * FIRST_SECONDS)
    given = before - _resident()
    giving.cancel()
    assert given > 20_000_000
    assert among
