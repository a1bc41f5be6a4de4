from __future__ import annotations

import subprocess
import sys

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
