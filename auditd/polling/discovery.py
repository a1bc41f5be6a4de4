"""Keeps the roster current."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NoReturn

from auditd.audit.events import DiscoveryAdded, DiscoveryFailed, DiscoveryRemoved, Emit
from auditd.audit.failure import PollError
from auditd.polling.ports import ProjectSource
from auditd.polling.roster import Roster, RosterChange

_log = logging.getLogger(__name__)


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
    ) -> None:
        self._roster = roster
        self._sources = sources
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

    async def run(self) -> None:
        """Refresh until cancelled; returns at once when there is no source."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._keep(source), name=f"discovery:{source.name}")

    async def refresh(self, source: ProjectSource) -> None:
        """Read one source now."""
        try:
            projects = await source.projects()
        except (PollError, ValueError) as error:
            self._emit(DiscoveryFailed(source.name, str(error)))
        except Exception as error:  # noqa: BLE001 - the loop must survive; logged and counted
            _log.exception("discovery %s failed inside this program", source.name)
            self._emit(DiscoveryFailed(source.name, f"{type(error).__name__} inside this program"))
        else:
            self._unanswered.discard(source.name)
            self._apply(source.name, self._roster.refresh(source.name, projects))
        self._unread.discard(source.name)
        self._on_read()

    async def _keep(self, source: ProjectSource) -> NoReturn:
        while True:
            await self.refresh(source)
            await asyncio.sleep(source.refresh_interval.total_seconds())

    def _apply(self, source: str, change: RosterChange) -> None:
        for project in change.removed:
            self._emit(DiscoveryRemoved(source, project.name))
        for project in change.added:
            self._emit(DiscoveryAdded(source, project.name, project.project_id, project.region))
        if change.added or change.updated or change.removed:
            self._on_change(change)
