from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from auditd.daemon.systemd import Systemd, status_line

PID = 4711


class Manager:
    """The end of the socket that systemd reads."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)  # noqa: FBT003 -- the standard library's signature

    async def heard(self) -> str:
        """The next message, as long as that takes."""
        return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def waiting(self) -> list[str]:
        """What was sent and not heard yet."""
        messages = []
        with suppress(BlockingIOError):
            while True:
                messages.append(self._socket.recv(4096).decode())
        return messages

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    manager = Manager(address)
    yield manager
    manager.close()


def make(address: str, **environment: str) -> Systemd:
    return Systemd({"NOTIFY_SOCKET": address, **environment}, pid=PID, monotonic=lambda: 12.0000015)


@asynccontextmanager
async def telling(systemd: Systemd) -> AsyncIterator[None]:
    task = asyncio.create_task(systemd.run(lambda: "12 projects,\n 0 blind"))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_the_life_of_the_service_is_told_in_order(manager: Manager, address: str) -> None:
    systemd = make(address)
    systemd.ready()
    systemd.reloading()
    systemd.ready()
    systemd.stopping()
    assert manager.waiting() == [
        "READY=1",
        "RELOADING=1\nMONOTONIC_USEC=12000001",
        "READY=1",
        "STOPPING=1",
    ]


def test_an_abstract_socket_is_reached() -> None:
    name = f"auditd-test-{time.monotonic_ns()}"
    manager = Manager(f"\0{name}")
    make(f"@{name}").ready()
    assert manager.waiting() == ["READY=1"]
    manager.close()


async def test_the_status_is_one_line_and_comes_without_a_watchdog(
    manager: Manager, address: str
) -> None:
    async with telling(make(address)):
        assert await manager.heard() == "STATUS=12 projects, 0 blind"


async def test_signs_of_life_come_twice_in_the_watchdogs_time(
    manager: Manager, address: str
) -> None:
    begun_at = time.monotonic()
    async with telling(make(address, WATCHDOG_USEC="200000", WATCHDOG_PID=str(PID))):
        for _ in range(4):
            assert (await manager.heard()).startswith("WATCHDOG=1\nSTATUS=")
    assert time.monotonic() - begun_at >= 0.3


async def test_a_blocked_loop_gives_no_sign_of_life(manager: Manager, address: str) -> None:
    async with telling(make(address, WATCHDOG_USEC="20000")):
        await manager.heard()
        manager.waiting()
        time.sleep(0.2)  # noqa: ASYNC251 -- the loop is blocked on purpose
        assert manager.waiting() == []
        await manager.heard()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(PID)}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_only_a_watchdog_of_this_process_counts(
    environment: dict[str, str], seconds: float | None
) -> None:
    assert make("/run/notify", **environment).watchdog_seconds == seconds


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative"])
async def test_without_a_socket_nothing_is_sent_and_nothing_runs(address: str) -> None:
    systemd = make(address, WATCHDOG_USEC="1000")
    systemd.ready()
    await systemd.run(lambda: pytest.fail("no status was asked for"))


def test_a_manager_that_has_gone_does_not_hurt(address: str) -> None:
    make(address).ready()


def test_a_manager_that_does_not_read_does_not_block(manager: Manager, address: str) -> None:
    systemd = make(address)
    for _ in range(10_000):
        systemd.ready()
    assert 0 < len(manager.waiting()) < 10_000


def test_the_status_counts_what_matters() -> None:
    assert status_line(projects=1, blind=0, firing=1) == "1 project, 0 blind, 1 alert firing"
    assert status_line(projects=20, blind=2, firing=3) == "20 projects, 2 blind, 3 alerts firing"
