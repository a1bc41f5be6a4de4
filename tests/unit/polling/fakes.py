"""A cloud that answers as told, a wall clock that follows the loop, a ticker of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from auditd.alerting.superseded import SupersededError
from auditd.audit.authorization import Authorization, Listing, Status
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict

START = datetime(2026, 3, 1, tzinfo=UTC)


class WallClock:
    """Wall time that runs with the event loop.

    `step` moves the wall clock alone; `stall_seconds` is time in which the loop did not run.
    """

    def __init__(self) -> None:
        self.step = timedelta(0)
        self.stall_seconds = 0.0

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() + self.stall_seconds

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self.monotonic()) + self.step


@dataclass
class FakeCloud:
    """An AuthorizationSource: `answer` decides what a project's list is, and how long it takes."""

    answer: Callable[[Project], Coroutine[Any, Any, Listing]]
    admit: Callable[[Project], Coroutine[Any, Any, None]] | None = None
    verdicts: dict[str, Verdict | Exception] = field(default_factory=dict)
    polled: list[str] = field(default_factory=list)
    under_way: int = 0

    @asynccontextmanager
    async def turn(self, project: Project) -> AsyncIterator[FakeTurn]:
        if self.admit:
            await self.admit(project)
        self.polled.append(project.name)
        self.under_way += 1
        try:
            yield FakeTurn(self, project)
        finally:
            self.under_way -= 1

    async def verdict(self, authorization: str) -> Verdict:
        verdict = self.verdicts[authorization]
        if isinstance(verdict, Exception):
            raise verdict
        return verdict


@dataclass
class FakeTurn:
    cloud: FakeCloud
    project: Project

    async def list_authorizations(self, known: Listing | None = None) -> Listing:
        listing = await self.cloud.answer(self.project)
        return known if known == listing else listing

    async def verify(self, authorization: str) -> Verdict:
        return await self.cloud.verdict(authorization)


class FakeJournal:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.recorded: list[ProjectSnapshot] = []
        self.departed: list[str] = []
        self.on_catching_up: list[Callable[[], None]] = []
        """What another replica has written, each of which supersedes one recording."""

    def note(self, snapshot: ProjectSnapshot) -> bool:
        return False

    async def record(self, snapshot: ProjectSnapshot) -> None:
        if self.on_catching_up:
            raise SupersededError
        self.recorded.append(snapshot)

    async def catch_up(self) -> None:
        self.on_catching_up.pop(0)()

    def depart(self, project: str) -> None:
        self.departed.append(project)


class FakeTicker:
    """Ticks by the loop's own clock."""

    def __init__(
        self,
        tick: Callable[[], None],
        _next_due: Callable[[], datetime | None],
        _pause: Callable[[], timedelta],
    ) -> None:
        self._tick = tick
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        if self._task:
            self._task.cancel()

    def realign(self) -> None:
        if self._task:
            self._tick()

    async def _run(self) -> None:
        while True:
            self._tick()
            await asyncio.sleep(0.25)


@dataclass
class FakeProjects:
    """A ProjectSource whose answer tests replace."""

    name: str
    answer: Sequence[Project] | Exception
    refresh_interval: timedelta = timedelta(seconds=10)

    async def projects(self) -> Sequence[Project]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def make_project(name: str = "payments", **settings: Any) -> Project:
    return Project(
        **{
            "name": name,
            "project_id": f"id-{name}",
            "region": "cn-north-4",
            "credential": "prod",
            "poll_interval": timedelta(seconds=60),
            "poll_timeout": timedelta(seconds=30),
            **settings,
        }
    )


def make_authorization(name: str = "gh", status: Status = Status.NORMAL) -> Authorization:
    return Authorization(
        name=name,
        repo_type="github",
        repo_host="https://api.github.com",
        repo_user="tom",
        token_type="oauth",
        tag="",
        status=status,
        raw_status="0",
        created_at=START - timedelta(days=1),
        updated_at=START - timedelta(days=1),
    )


async def one_authorization(_: Project) -> Listing:
    return Listing((make_authorization(),))
