"""Keeps the roster current."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

from auditd.audit.events import DiscoveryAdded, DiscoveryFailed, DiscoveryRemoved, Emit
from auditd.audit.failure import PollError
from auditd.audit.project import Project
from auditd.polling.ports import ProjectSource
from auditd.polling.roster import Roster, RosterChange

_log = logging.getLogger(__name__)


async def read_source(source: ProjectSource) -> Sequence[Project]:
    """What a source gives when it is asked."""
    return await source.projects()


class Discovery:
    """Reads every source at its own interval; a source that fails keeps what it gave before."""

    def __init__(
        self,
        *,
        roster: Roster,
        sources: Sequence[ProjectSource],
        on_change: Callable[[RosterChange], None],
        on_read: Callable[[], None],
        emit: Emit,
        read: Callable[[ProjectSource], Awaitable[Sequence[Project]]] = read_source,
    ) -> None:
        self._read = read
        self._roster = roster
        self._sources = {source.name: source for source in sources}
        self._group: asyncio.TaskGroup | None = None
        self._keepers: dict[str, tuple[ProjectSource, asyncio.Task[NoReturn]]] = {}
        self._failures_in_a_row: Counter[str] = Counter()
        self._on_change = on_change
        self._on_read = on_read
        self._emit = emit
        self._unread = {source.name for source in sources}
        self._unanswered = set(self._unread)

    @property
    def unread(self) -> frozenset[str]:
        """The sources that were not read once yet, successfully or not."""
        return frozenset(self._unread)

    @property
    def unanswered(self) -> frozenset[str]:
        """The sources that did not give their projects once yet."""
        return frozenset(self._unanswered)

    def adopt(self, sources: Sequence[ProjectSource]) -> None:
        """Have these sources from now on. The very same go on, all others are read at once."""
        former, self._sources = self._sources, {source.name: source for source in sources}
        names = self._sources.keys()
        self._unread = self._unread & names | names - former.keys()
        self._unanswered = self._unanswered & names | names - former.keys()
        self._start_and_stop()

    async def run(self) -> None:
        """Refresh until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._start_and_stop()
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _start_and_stop(self) -> None:
        """Let exactly the sources that there are now be kept."""
        if self._group is None:
            return
        for name, (source, task) in [*self._keepers.items()]:
            if self._sources.get(name) is not source:
                task.cancel()
                del self._keepers[name]
        for name, source in self._sources.items():
            if name not in self._keepers:
                task = self._group.create_task(self._keep(source), name=f"discovery:{name}")
                self._keepers[name] = source, task

    async def refresh(self, source: ProjectSource) -> None:
        """Read one source now."""
        try:
            projects = await self._read(source)
        except (PollError, ValueError) as error:
            self._fail(source, str(error))
        except Exception as error:  # noqa: BLE001 - the loop must survive; logged and counted
            _log.exception("discovery %s failed inside this program", source.name)
            self._fail(source, f"{type(error).__name__} inside this program")
        else:
            del self._failures_in_a_row[source.name]
            self._unanswered.discard(source.name)
            self._apply(source.name, self._roster.refresh(source.name, projects))
        self._unread.discard(source.name)
        self._on_read()

    async def reread(self, name: str) -> None:
        """Read a source now, if there is one of this name."""
        if source := self._sources.get(name):
            await self.refresh(source)

    def _fail(self, source: ProjectSource, message: str) -> None:
        self._failures_in_a_row[source.name] += 1
        failures = self._failures_in_a_row[source.name]
        self._emit(DiscoveryFailed(source.name, message, failures))

    async def _keep(self, source: ProjectSource) -> NoReturn:
        while True:
            await self.refresh(source)
            await asyncio.sleep(source.refresh_interval.total_seconds())

    def _apply(self, source: str, change: RosterChange) -> None:
        for project in change.removed:
            self._emit(DiscoveryRemoved(source, project.name))
        for project in change.added:
            self._emit(DiscoveryAdded(source, project.name, project.project_id, project.region))
        if change:
            self._on_change(change)
