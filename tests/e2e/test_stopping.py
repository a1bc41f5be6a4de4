from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import running
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
