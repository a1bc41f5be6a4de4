"""A daemon that polls, fails, alerts, reloads and is looked at all the time: nothing of it grows.

AUDITD_SOAK_SECONDS says for how long, 60 by default; 1500 are as many polls as twenty projects
have in a day at 30 s. What was measured is printed.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from tests.e2e.metrics import Scrape, scrape
from tests.e2e.program import Program, running
from tests.e2e.scenarios import make_configuration, make_scenario, project_id

SECONDS = float(os.environ.get("AUDITD_SOAK_SECONDS", "60"))
WARM_UP_SECONDS = min(180.0, SECONDS / 3)
"""Until pools, caches and above all the allocator have what they need for good: 3 minutes."""
pytestmark = pytest.mark.timeout(SECONDS + 120)

FIXED = 38
PASSING = 2
"""Projects that a discovery file names differently each time."""
MEBIBYTE = 2**20
GROWTH_BYTES = (6 if SECONDS > 2 * WARM_UP_SECONDS + 60 else 16) * MEBIBYTE
"""What the allocator may still take. In the long form a leak of 150 bytes a poll takes more."""


@dataclass(frozen=True)
class Look:
    """What the process holds at one moment."""

    memory_bytes: float
    descriptors: float
    threads: int


def restless_scenario() -> dict[str, Any]:
    """A cloud in which authorizations lapse and recover, and every sixth project fails a lot."""
    made = make_scenario(FIXED + PASSING)
    changes = [
        {
            "at": f"{at}s",
            "project": f"cn-north-4_p{number}",
            "authorization": "fine",
            "set": {"status": status},
        }
        for number in range(0, FIXED, 4)
        for at, status in ((2, "overdue"), (6, "normal"))
    ]
    effects = ({"type": "status", "status": 502}, {"type": "reset"}, {"type": "html"})
    made["faults"] = [
        {"project": f"cn-north-4_p{number}", "probability": 0.7, "effect": effects[number % 3]}
        for number in range(1, FIXED, 6)
    ]
    return {**made, "life": {"period": "10s", "changes": changes}}


class Site:
    """The daemon's files, which change, and the receiver of its alerts, which fails at times."""

    def __init__(self, directory: Path, cloud: str) -> None:
        self._directory = directory
        self._cloud = cloud
        self._changes = count()
        self.alerts = 0
        self.receiver = ""

    async def take(self, _: web.Request) -> web.Response:
        self.alerts += 1
        return web.Response(status=503 if self.alerts % 7 == 0 else 200)

    def change(self) -> dict[str, Any]:
        """Another configuration, and other projects to discover."""
        number = next(self._changes)
        made = make_configuration(self._cloud, FIXED, poll_interval="1s", poll_timeout="1s")
        template = made["projects"][0]
        passing = [
            {**template, "name": f"passing-{number}-{each}", "project_id": project_id(FIXED + each)}
            for each in range(PASSING)
        ]
        new = self._directory / "passing.new"
        new.write_text(yaml.safe_dump(passing))
        new.replace(self._directory / "passing.yaml")
        made["global"]["labels"] = {"turn": str(number % 2)}
        hook = {"name": "ops", "type": "webhook", "url": f"{self.receiver}/{number % 3}"}
        route = {"hook": "ops", "group_wait": "0s", "group_interval": "1s"}
        return {
            **made,
            "discovery": [{"type": "file", "files": ["passing.yaml"], "refresh_interval": "1s"}],
            "alerting": {"route": route, "hooks": [hook]},
            "heartbeat": {"url": f"{self.receiver}/ping/{number % 2}", "interval": "1s"},
        }


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Callable[[str], Site]]:
    made: list[Site] = []

    def make(cloud: str) -> Site:
        made.append(Site(tmp_path, cloud))
        made[0].receiver = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return made[0]

    async def take(request: web.Request) -> web.Response:
        return await made[0].take(request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield make
    await runner.cleanup()


def look(daemon: Program, found: Scrape) -> Look:
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    threads = re.search(r"Threads:\s+(\d+)", status)
    assert threads
    return Look(
        memory_bytes=found.total("process_resident_memory_bytes"),
        descriptors=found.total("process_open_fds"),
        threads=int(threads[1]),
    )


async def visit(session: aiohttp.ClientSession, url: str) -> None:
    """What people and their tools look at, and an open page that is closed again."""
    for path in ("/", "/-/ready", "/api/v1/alerts", "/api/v1/deliveries", "/no-such-page"):
        async with session.get(url + path) as answer:
            await answer.read()
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3), session.get(f"{url}/events?topic=fleet") as answer:
            await answer.read()


async def test_nothing_grows_however_long_it_runs(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    site: Callable[[str], Site],
) -> None:
    async with simulate(restless_scenario()) as cloud:
        place = site(cloud.url)
        file = write("auditd.yaml", place.change())
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("daemon.ready")
            url = await daemon.url()
            looks: list[tuple[float, Look]] = []
            lags: list[float] = []
            began_at = time.monotonic()
            while (elapsed := time.monotonic() - began_at) < SECONDS:
                await visit(session, url)
                found = await scrape(session, url)
                looks.append((elapsed, look(daemon, found)))
                lags.append(found.total("auditd_event_loop_lag_seconds"))
                if len(looks) % 5 == 0:
                    write("auditd.yaml", place.change())
                    daemon.process.send_signal(signal.SIGHUP)
                await asyncio.sleep(0.5)
            polls = found.total("auditd_polls_total", project="p0")
        settled = [seen for at, seen in looks if at >= WARM_UP_SECONDS]
        third = len(settled) // 3
        first, last = settled[:third], settled[-third:]
        print_figures(first, last, lags, polls)
        assert polls > SECONDS / 2
        assert place.alerts > SECONDS / 4
        assert len(daemon.told("config.reloaded")) > SECONDS / 20
        assert len(daemon.told("discovery.removed")) > SECONDS / 20
        assert "Traceback" not in daemon.text
        assert rise(first, last, "memory_bytes") < GROWTH_BYTES
        assert rise(first, last, "descriptors") <= 3
        assert rise(first, last, "threads") <= 1


def rise(first: list[Look], last: list[Look], name: str) -> float:
    """From one third of the time to another, by their medians."""
    before, after = ([getattr(seen, name) for seen in part] for part in (first, last))
    return float(median(after) - median(before))


def print_figures(first: list[Look], last: list[Look], lags: list[float], polls: float) -> None:
    for name in ("memory_bytes", "descriptors", "threads"):
        now = median(getattr(seen, name) for seen in last)
        print(f"{name}: {now:.0f}, {rise(first, last, name):+.0f}")  # noqa: T201 -- the result
    late = f"median {median(lags):.3f} s, longest {max(lags):.3f} s"
    print(f"polls of one project: {polls:.0f}; lag of the loop: {late}")  # noqa: T201 -- likewise
