"""What systemd and a dead man's switch hear of a daemon that works, reloads, hangs and ends."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.program import DEADLINE_SECONDS, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)


class Manager:
    """The end of the socket that systemd reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)  # noqa: FBT003 -- the standard library's signature

    async def hear(self, beginning: str) -> str:
        """The next message that begins so."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                message = (await loop.sock_recv(self._socket, 4096)).decode()
                if message.startswith(beginning):
                    return message

    def waiting(self) -> list[bytes]:
        """What was sent and not heard yet."""
        messages = []
        with suppress(BlockingIOError):
            while True:
                messages.append(self._socket.recv(4096))
        return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.close()


class Switch:
    """A dead man's switch: when it was called."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[float] = []

    async def handle(self, _: web.Request) -> web.Response:
        self.calls.append(time.monotonic())
        return web.Response()


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    switch = Switch()
    app = web.Application()
    app.router.add_get("/ping", switch.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    switch.url = f"http://127.0.0.1:{runner.addresses[0][1]}/ping"
    yield switch
    await runner.cleanup()


async def test_systemd_hears_the_start_signs_of_life_a_reload_and_the_end(
    simulate: Any, write: Callable[[str, Any], Path], manager: Manager
) -> None:
    async with simulate(make_scenario(2)) as cloud:
        file = write("auditd.yaml", make_configuration(cloud.url, 2))
        async with running(
            "run",
            f"--config.file={file}",
            "--web.listen-address=127.0.0.1:0",
            NOTIFY_SOCKET=str(manager.path),
            WATCHDOG_USEC="1000000",
        ) as daemon:
            assert await manager.hear("") == "READY=1"
            await daemon.event("daemon.ready")
            while "STATUS=2 projects, 0 blind, 4 alerts" not in await manager.hear("WATCHDOG=1\n"):
                pass
            daemon.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.2)
            manager.waiting()
            await asyncio.sleep(1.5)
            assert manager.waiting() == []
            daemon.process.send_signal(signal.SIGCONT)
            asked_at = time.monotonic()
            await manager.hear("WATCHDOG=1")
            assert time.monotonic() - asked_at < 1
            daemon.process.send_signal(signal.SIGHUP)
            await manager.hear("RELOADING=1\nMONOTONIC_USEC=")
            assert await manager.hear("READY=1") == "READY=1"
            daemon.process.terminate()
            await manager.hear("STOPPING=1")
            assert await daemon.process.wait() == 0


async def test_the_heart_beats_only_while_the_state_can_be_written(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    switch: Switch,
) -> None:
    async with simulate(make_scenario(2)) as cloud:
        made = make_configuration(cloud.url, 2, poll_interval="1s", poll_timeout="1s")
        file = write("auditd.yaml", {**made, "heartbeat": {"url": switch.url, "interval": "1s"}})
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("heartbeat.sent")
            assert switch.calls
            limits = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
            withheld = await daemon.event("heartbeat.withheld")
            assert "cannot be written" in withheld["troubles"][0]
            calls = len(switch.calls)
            async with session.get(f"{await daemon.url()}/-/ready") as answer:
                assert answer.status == 503
            await asyncio.sleep(2)
            assert len(switch.calls) == calls
            resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, limits)
            async with asyncio.timeout(DEADLINE_SECONDS):
                while len(switch.calls) < calls + 2:
                    await asyncio.sleep(0.1)
        assert len(daemon.told("heartbeat.withheld")) == 1
        assert len(daemon.told("heartbeat.sent")) == 2
