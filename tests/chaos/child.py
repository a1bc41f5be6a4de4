"""A process that does one thing and ends, and that does not outlive its parent for long."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

_PATIENCE_SECONDS = 60


def fork(
    work: Coroutine[Any, Any, None],
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> int:
    """The pid of a child that runs `work`. Its exit code is 0, or 1 after an exception."""
    if pid := os.fork():
        work.close()
        return pid
    signal.alarm(_PATIENCE_SECONDS)
    try:
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(work)
    except BaseException:  # noqa: BLE001 -- nothing of the parent may run on in the child
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)
