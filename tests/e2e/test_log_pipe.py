"""Whoever reads the log, or does not, must not matter to what the daemon is for."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.metrics import Scrape, scrape
from tests.e2e.program import COMMAND, DEADLINE_SECONDS
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(120)

DROPPED = "auditd_log_lines_dropped_total"
LAG = "auditd_event_loop_lag_seconds"
POLLS = "auditd_polls_total"


class Daemon:
    """A daemon whose log goes to a descriptor of the test's."""

    def __init__(
        self, process: asyncio.subprocess.Process, url: str, session: aiohttp.ClientSession
    ) -> None:
        self.process = process
        self.url = url
        self._session = session

    async def scrape(self) -> Scrape:
        return await scrape(self._session, self.url)

    async def metrics_until(self, is_enough: Callable[[Scrape], bool]) -> Scrape:
        """The first scrape that is enough, from when it listens on."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                try:
                    found = await self.scrape()
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
                else:
                    if is_enough(found):
                        return found
                    await asyncio.sleep(0.1)

    async def babble(self) -> None:
        """Have it log many lines, one for each request."""

        async def ask() -> None:
            for _ in range(50):
                async with self._session.get(f"{self.url}/no-such-page") as answer:
                    assert answer.status == 404

        await asyncio.gather(*(ask() for _ in range(10)))

    async def stop(self) -> None:
        """Ask it to end, which it does well within the time that systemd gives it."""
        asked_at = time.monotonic()
        self.process.terminate()
        assert await self.process.wait() == 0
        assert time.monotonic() - asked_at < 10


@pytest.fixture
def start(simulate: Any, write: Callable[[str, Any], Path], session: aiohttp.ClientSession) -> Any:
    """Start a daemon that polls three projects each second and logs all it can."""

    @asynccontextmanager
    async def start_daemon(log: int) -> AsyncIterator[Daemon]:
        async with simulate(make_scenario(3)) as cloud:
            configuration = make_configuration(cloud.url, 3, poll_interval="1s", poll_timeout="1s")
            file = write("auditd.yaml", configuration)
            address = f"127.0.0.1:{free_port()}"
            process = await asyncio.create_subprocess_exec(
                COMMAND,
                "run",
                f"--config.file={file}",
                f"--web.listen-address={address}",
                "--log.level=debug",
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
            os.close(log)
            try:
                yield Daemon(process, f"http://{address}", session)
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    return start_daemon


def free_port() -> int:
    """A port that was free a moment ago: this daemon cannot tell where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


async def test_a_log_that_nobody_reads_costs_the_loop_nothing_and_what_is_lost_is_counted(
    start: Any,
) -> None:
    reader, log = os.pipe()
    fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, 4096)
    async with start(log) as daemon:
        await daemon.metrics_until(lambda found: found.total(POLLS) >= 3)
        lags: list[float] = []
        found = await daemon.scrape()
        async with asyncio.timeout(90):
            while not found.total(DROPPED) or len(set(lags)) < 5:
                await daemon.babble()
                found = await daemon.scrape()
                lags.append(found.total(LAG))
        polls = found.total(POLLS)
        await daemon.metrics_until(lambda later: later.total(POLLS) >= polls + 6)
        await daemon.stop()
    os.close(reader)
    # A loop that waits for its reader does so until somebody reads; other work delays it, too.
    assert statistics.median(lags) < 0.05
    assert max(lags) < 2


async def test_a_reader_that_goes_away_takes_nothing_with_it_but_the_log(start: Any) -> None:
    reader, log = os.pipe()
    async with start(log) as daemon:
        found = await daemon.metrics_until(lambda found: found.total(POLLS) >= 3)
        assert found.total(DROPPED) == 0
        os.close(reader)
        polls = found.total(POLLS)
        await daemon.metrics_until(
            lambda later: later.total(POLLS) >= polls + 6 and later.total(DROPPED) > 0
        )
        await daemon.stop()


async def test_a_log_on_a_full_disk_is_lost_and_nothing_else(start: Any) -> None:
    async with start(os.open("/dev/full", os.O_WRONLY)) as daemon:
        found = await daemon.metrics_until(
            lambda found: found.total(POLLS) >= 9 and found.total(DROPPED) > 0
        )
        assert found.values("auditd_project_up") == [1, 1, 1]
        await daemon.stop()


async def test_in_the_journal_each_line_begins_with_its_priority(
    write: Callable[[str, Any], Path],
) -> None:
    # Like journald's: a connected socket, which the daemon knows by device and inode.
    ours, theirs = socket.socketpair()
    status = os.fstat(theirs.fileno())
    file = write("auditd.yaml", make_configuration("http://127.0.0.1:1"))
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        "run",
        f"--config.file={file}",
        "--web.listen-address=127.0.0.1:0",
        stdin=asyncio.subprocess.DEVNULL,
        stderr=theirs.fileno(),
        env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
    )
    theirs.close()
    stream, writer = await asyncio.open_connection(sock=ours)
    lines: list[str] = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not any("poll.failed" in line for line in lines):
            lines.append((await stream.readline()).decode())
        process.terminate()
        lines += [line.decode() async for line in stream]
        assert await process.wait() == 0
    writer.close()
    assert {line[:4] for line in lines} >= {"<6>{", "<4>{"}
    assert all(line.startswith("<") and line[2:4] == ">{" for line in lines)
