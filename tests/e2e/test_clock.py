"""A daemon whose wall clock is set while it runs, or that is stopped and goes on later."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.metrics import Scrape, scrape
from tests.e2e.program import Program, running
from tests.e2e.scenarios import PASSWORD, make_configuration, make_scenario

pytestmark = pytest.mark.timeout(240)

PROJECTS = 3
INTERVAL_SECONDS = 4.0
SLACK_SECONDS = 3.0
"""A step is noticed within 1 s; the rest is for the poll. libfaketime makes threads slow."""


class FakeClock:
    """The wall clock of one process, which a file sets. Its monotonic clock is the real one."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._library = library
        self.set(timedelta(0))

    def set(self, offset: timedelta) -> None:
        """Let it differ so much from the real one, from now on."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset.total_seconds():+.0f}\n")
        new.replace(self._file)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_CACHE_DURATION": "1",
        }


@pytest.fixture
def fake_clock(tmp_path: Path) -> FakeClock:
    unpacked = Path(__file__).parents[2] / ".tools" / "debian"
    for root in (Path("/"), unpacked):
        if found := [*root.glob("usr/lib/*/faketime/libfaketime.so.1")]:
            return FakeClock(tmp_path / "clock", found[0])
    reason = "there is no libfaketime here; tests/tools/install brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Watched:
    """A daemon that polls three projects every 4 s, and when it did, by our own clock."""

    def __init__(self, daemon: Program, session: aiohttp.ClientSession, url: str) -> None:
        self.daemon = daemon
        self._session = session
        self._url = url
        self.polls: dict[str, float] = {}
        self.longest_gaps: dict[str, float] = {}
        self._counted_at: dict[str, float] = {}

    async def watch(self, seconds: float) -> Scrape:
        """Look four times a second which projects were polled meanwhile. Returns the last look."""
        until = time.monotonic() + seconds
        while True:
            found = await scrape(self._session, self._url)
            self._note(found, time.monotonic())
            if time.monotonic() >= until:
                return found
            await asyncio.sleep(0.25)

    def forget_gaps(self) -> None:
        self.longest_gaps = dict.fromkeys(self.longest_gaps, 0.0)

    def _note(self, found: Scrape, at: float) -> None:
        for number in range(PROJECTS):
            project = f"p{number}"
            polls = found.total("auditd_polls_total", project=project)
            gap = at - self._counted_at.get(project, at)
            self.longest_gaps[project] = max(self.longest_gaps.get(project, 0.0), gap)
            if polls != self.polls.get(project):
                self.polls[project], self._counted_at[project] = polls, at


@pytest.fixture
def start(simulate: Any, write: Callable[[str, Any], Path], session: aiohttp.ClientSession) -> Any:
    """Start the daemon. Its cloud is on time, so it logs in with what needs no right clock."""

    @asynccontextmanager
    async def start_daemon(environment: Mapping[str, str]) -> AsyncIterator[Watched]:
        async with simulate(make_scenario(PROJECTS)) as cloud:
            configuration = make_configuration(
                cloud.url, PROJECTS, poll_interval="4s", poll_timeout="4s"
            )
            configuration["credentials"] = [
                {
                    "name": "keys",
                    "type": "iam_password",
                    "domain": "acme",
                    "user": "auditor",
                    "password": PASSWORD,
                    "iam_endpoint": cloud.url,
                }
            ]
            file = write("auditd.yaml", configuration)
            async with running(
                "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0", **environment
            ) as daemon:
                await daemon.event("daemon.ready", seen=PROJECTS)
                yield Watched(daemon, session, await daemon.url())

    return start_daemon


def assert_steady(watched: Watched, before: Scrape, after: Scrape, seconds: float) -> None:
    """Every project in time, none in a burst, nothing failed, and the processor at rest."""
    assert max(watched.longest_gaps.values()) <= 2 * INTERVAL_SECONDS + SLACK_SECONDS

    def rise(name: str, **labels: str) -> float:
        return after.total(name, **labels) - before.total(name, **labels)

    for project in watched.polls:
        assert rise("auditd_polls_total", project=project) <= seconds / INTERVAL_SECONDS + 2
    assert rise("auditd_poll_failures_total") == 0
    assert rise("process_cpu_seconds_total") < seconds / 2


def skipped(watched: Watched) -> list[dict[str, Any]]:
    """What was skipped for another reason than that a busy machine was slow."""
    told = watched.daemon.told("poll.skipped")
    return [record for record in told if record["reason"] != "overlap"]


async def test_steps_of_an_hour_and_a_day_lose_no_project_and_cause_no_burst(
    start: Any, fake_clock: FakeClock
) -> None:
    hour, day = timedelta(hours=1), timedelta(days=1)
    offset = timedelta(0)
    async with start(fake_clock.environment) as watched:
        await watched.watch(2)
        for step in (hour, -hour, day, -day):
            offset += step
            watched.forget_gaps()
            before = await watched.watch(0)
            began_at = time.monotonic()
            fake_clock.set(offset)
            after = await watched.watch(3 * INTERVAL_SECONDS)
            assert_steady(watched, before, after, time.monotonic() - began_at)
    assert {record["reason"] for record in skipped(watched)} == {"clock"}
    shown = [datetime.fromisoformat(record["timestamp"]) for record in watched.daemon.records]
    assert max(shown) - min(shown) >= day  # the clock was set indeed


@pytest.mark.parametrize(
    ("zone", "at"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
        ("UTC", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
async def test_summer_time_and_leap_days_come_and_go_unnoticed(
    start: Any, fake_clock: FakeClock, zone: str, at: datetime
) -> None:
    fake_clock.set(at - datetime.now(UTC) - timedelta(hours=1))
    async with start({**fake_clock.environment, "TZ": zone}) as watched:
        began_at = time.monotonic()
        before = await watched.watch(0)
        fake_clock.set(at - datetime.now(UTC) - timedelta(seconds=2 * INTERVAL_SECONDS))
        after = await watched.watch(4 * INTERVAL_SECONDS)
        assert_steady(watched, before, after, time.monotonic() - began_at)
    shown = [datetime.fromisoformat(record["timestamp"]) for record in watched.daemon.records]
    assert min(shown) < at < max(shown)
    # Only by the hour that brought it here, and once each.
    assert {record["reason"] for record in skipped(watched)} == {"clock"}
    assert sorted(record["project"] for record in skipped(watched)) == ["p0", "p1", "p2"]


async def test_a_process_that_was_suspended_polls_each_project_once_and_goes_on(
    start: Any,
) -> None:
    async with start({}) as watched:
        await watched.watch(2)
        before = await watched.watch(0)
        watched.daemon.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(4 * INTERVAL_SECONDS)
        watched.daemon.process.send_signal(signal.SIGCONT)
        soon = await watched.watch(SLACK_SECONDS)
        for project in watched.polls:
            polled = soon.total("auditd_polls_total", project=project) - before.total(
                "auditd_polls_total", project=project
            )
            assert 1 <= polled <= 2  # the slots that passed are not made up for
        began_at = time.monotonic()
        watched.forget_gaps()
        after = await watched.watch(3 * INTERVAL_SECONDS)
        assert_steady(watched, soon, after, time.monotonic() - began_at)
    assert {record["reason"] for record in skipped(watched)} == {"blocked"}
