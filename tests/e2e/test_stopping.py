from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import COMMAND, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_daemon_cleanly_while_every_poll_hangs(
    simulate: Any, write: Callable[[str, Any], Path], number: signal.Signals
) -> None:
    hanging = [
        {"project": f"cn-north-4_p{number}", "effect": {"type": "delay", "delay": "5m"}}
        for number in range(1, 20)
    ]
    async with simulate(make_scenario(20, faults=hanging)) as cloud:
        configuration = make_configuration(cloud.url, 20)
        configuration["projects"][0] |= {"poll_interval": "1s", "poll_timeout": "1s"}
        file = write("auditd.yaml", configuration)
        async with running(
            "run",
            f"--config.file={file}",
            "--web.listen-address=127.0.0.1:0",
            "--log.level=debug",
        ) as daemon:
            # Its second list comes long after the other polls were sent.
            await daemon.event("poll.finished", project="p0", level="debug")
            asked_at = time.monotonic()
            daemon.process.send_signal(number)
            assert await daemon.process.wait() == 0
            assert time.monotonic() - asked_at < 10
            await daemon.event("daemon.stopped")
    assert daemon.told("daemon.stopping")[0]["reason"] == number.name
    assert "Traceback" not in daemon.text
    assert daemon.told("poll.failed") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_that_comes_while_the_program_loads_is_no_failure(
    write: Callable[[str, Any], Path], number: signal.Signals
) -> None:
    file = write("auditd.yaml", make_configuration("http://127.0.0.1:9"))
    async with running(
        "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
    ) as daemon:
        async with asyncio.timeout(30):
            while not catches_sigterm(daemon.process.pid):
                await asyncio.sleep(0.001)
        daemon.process.send_signal(number)
        assert await daemon.process.wait() == 0
    assert daemon.lines == []


def catches_sigterm(pid: int) -> bool:
    """Whether the process has a handler by now. Source: proc_pid_status(5), SigCgt."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


async def test_a_closed_standard_error_does_not_keep_the_daemon_from_working(
    simulate: Any, write: Callable[[str, Any], Path]
) -> None:
    async with simulate(make_scenario()) as cloud:
        file = write("auditd.yaml", make_configuration(cloud.url))
        daemon = await asyncio.create_subprocess_shell(
            f"exec {COMMAND} run --config.file={file} --web.listen-address=127.0.0.1:0 2>&-"
        )
        async with asyncio.timeout(30):
            while not (await cloud.stats())["requests"]:
                await asyncio.sleep(0.05)
        daemon.terminate()
        assert await daemon.wait() == 0


async def test_a_hanging_project_delays_no_other(
    simulate: Any, write: Callable[[str, Any], Path]
) -> None:
    hanging = {"project": "cn-north-4_p0", "effect": {"type": "delay", "delay": "5m"}}
    async with simulate(make_scenario(10, faults=[hanging])) as cloud:
        file = write("auditd.yaml", make_configuration(cloud.url, 10, poll_timeout="20s"))
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            for number in range(1, 10):
                await daemon.event("poll.finished", project=f"p{number}")
            assert daemon.told("poll.failed") == []
            assert daemon.told("daemon.ready") == []
