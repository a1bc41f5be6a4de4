from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from auditd.config.settings import Settings
from auditd.daemon.changeover import Changed, Changeover
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.loader import Loader
from auditd.daemon.reloader import Reloader
from tests.unit.config.shipped import CATALOG
from tests.unit.daemon.mutations import CANARY, GOOD, mutate

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
_PLACED = re.compile(
    r"/\S+\.yaml(:\d+:\d+: |: (cannot be read|larger))|\.\.\. and \d+ more problems"
)
MUTATIONS = int(os.environ.get("AUDITD_MUTATIONS", "300"))


@dataclass
class FakeChangeover:
    """Notes what it is given; `gate` holds it up, `error` is raised."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    has_judged: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None
    begun: int = 0
    under_way: int = 0
    used: list[Settings] = field(default_factory=list)
    judged: list[tuple[str, ...]] = field(default_factory=list)

    async def to(self, settings: Settings) -> Changed:
        self.begun += 1
        self.has_begun.set()
        self.under_way += 1
        assert self.under_way == 1, "two reloads at once"
        try:
            await self.gate.wait()
        finally:
            self.under_way -= 1
        if self.error:
            raise self.error
        self.used.append(settings)
        return Changed({"projects_added": 1}, ("doubtful",), ("payments",))

    async def judge(self, projects: tuple[str, ...]) -> None:
        self.judged.append(projects)
        self.has_judged.set()


class World:
    """A reloader over a real file."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "auditd.yaml"
        self.file.touch(mode=0o600)
        self.file.write_text(GOOD)
        self.loader = Loader(self.file, CATALOG, {}, on_secret=lambda _: None)
        self.loader.read()
        self.changeover = FakeChangeover()
        self.changeover.gate.set()
        self.hangup = asyncio.Event()
        self.log = CapturingLogger()
        self.tries: list[None] = []
        self.tried: list[bool] = []
        self.trail: list[tuple[str, Mapping[str, str]]] = []
        self.reloader = Reloader(
            self.loader,
            cast("Changeover", self.changeover),
            hangup=self.hangup,
            logger=cast("FilteringBoundLogger", self.log),
            on_trying=lambda: self.tries.append(None),
            on_tried=self._note,
            record=self._record,
            loaded_at=NOW,
            now=lambda: NOW,
        )

    def _note(self, at: datetime, *, successful: bool) -> None:
        self.tried.append(successful)

    async def _record(self, file: str, detail: Mapping[str, str]) -> None:
        self.trail.append((file, detail))

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [dict(call.kwargs) for call in self.log.calls if call.args == (event,)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(world.reloader.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_reload_is_used_told_and_entered_into_the_trail(world: World) -> None:
    async with running(world):
        await world.reloader.reload()
        await world.changeover.has_judged.wait()
    assert world.tried == [True]
    assert world.trail == [(str(world.file), {"projects_added": "1"})]
    assert world.changeover.judged == [("payments",)]
    told, warned = world.logged("config.reloaded")
    assert told["projects_added"] == 1
    assert warned == {"warning": "doubtful"}
    assert world.reloader.error == ""


async def test_a_burst_while_one_is_under_way_gives_one_more(world: World) -> None:
    world.changeover.gate.clear()
    async with running(world):
        first = asyncio.create_task(world.reloader.reload())
        await world.changeover.has_begun.wait()
        burst = [asyncio.create_task(world.reloader.reload()) for _ in range(10)]
        await asyncio.sleep(0)
        world.hangup.set()
        world.changeover.gate.set()
        await asyncio.gather(first, *burst)
    assert world.changeover.begun == 2


async def test_a_refusal_is_raised_and_told_each_time_that_somebody_asks(world: World) -> None:
    world.file.write_text("projects: [")
    async with running(world):
        for _ in range(2):
            assert "auditd.yaml:2:1: " in await world.reloader.reload()
    assert world.tried == [False, False]
    assert len(world.logged("config.rejected")) == 2
    assert world.changeover.begun == 0
    assert world.reloader.error.startswith(str(world.file))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UnusableSettingError("auditd.yaml:9:7: hook 'ops': no"), "hook 'ops': no"),
        (ZeroDivisionError(CANARY), "ZeroDivisionError inside this program"),
    ],
)
async def test_whatever_fails_is_a_refusal(world: World, error: Exception, words: str) -> None:
    world.changeover.error = error
    async with running(world):
        assert words in await world.reloader.reload()
        world.changeover.error = None
        assert await world.reloader.reload() == ""
    assert world.tried == [False, True]
    assert CANARY not in str(world.log.calls)


async def test_who_waits_when_the_daemon_stops_is_told_so(world: World) -> None:
    world.changeover.gate.clear()
    async with running(world) as task:
        waiting = asyncio.create_task(world.reloader.reload())
        await world.changeover.has_begun.wait()
        task.cancel()
        assert await waiting == await world.reloader.reload() == "the daemon stops"


async def test_a_caller_who_is_cancelled_cancels_no_reload(world: World) -> None:
    world.changeover.gate.clear()
    async with running(world):
        impatient = asyncio.create_task(world.reloader.reload())
        await world.changeover.has_begun.wait()
        impatient.cancel()
        await asyncio.wait({impatient})
        world.changeover.gate.set()
        await world.changeover.has_judged.wait()
    assert len(world.changeover.used) == 1


@pytest.mark.timeout(0)
async def test_no_broken_configuration_does_harm(world: World) -> None:
    """The old one runs on, and the message has a place and no secret.

    AUDITD_MUTATIONS says how many are tried.
    """
    chance = random.Random(7)
    refused = 0
    async with running(world):
        for number in range(MUTATIONS):
            mutate(world.file, chance)
            used = len(world.changeover.used)
            if message := await world.reloader.reload():
                refused += 1
                assert "inside this program" not in message, number
                assert CANARY not in message, number
                assert all(_PLACED.match(line) for line in message.splitlines()), message
                assert world.tried[-1] is False
                assert len(world.changeover.used) == used
        world.file.write_text(GOOD)
        await world.reloader.reload()
    assert world.tried[-1] is True
    assert refused > MUTATIONS // 3
    assert CANARY not in str(world.log.calls)
