from __future__ import annotations

import subprocess
import sys

from auditd.daemon.signals import Stop

_PROGRAM = """
import asyncio, threading
from auditd.daemon.signals import leave_soon

async def main():
    asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
    leave_soon(0.1)

asyncio.run(main())
"""


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    command = [sys.executable, "-c", _PROGRAM]
    done = subprocess.run(command, timeout=8, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


async def test_the_first_who_asks_for_a_stop_says_why() -> None:
    stop, error = Stop(), ValueError("there is no way on")
    stop.request("outdated", error)
    stop.request("SIGTERM")
    await stop.wait()
    assert (stop.reason, stop.error) == ("outdated", error)
