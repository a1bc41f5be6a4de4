"""Answers for projects: what the API, the pages and probes ask is done on fleet and store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from auditd.alerting.rules import Rules
from auditd.audit.history import HistoryEntry
from auditd.audit.policy import Check
from auditd.audit.snapshot import ProjectSnapshot
from auditd.daemon.office import said_plainly
from auditd.polling.fleet import Fleet
from auditd.polling.polls import PollRefusedError
from auditd.polling.scheduler import Scheduler
from auditd.store.store import Store
from auditd.web.fleet_office import Standing
from auditd.web.office import UnavailableError


class FleetDesk:
    """See web's FleetOffice.

    Args:
        fleet: knows the projects.
        scheduler: polls them.
        store: has their history.
        standing: how the daemon is now.
        checks: those that are enabled now.
        rules: the terms of alerts now.
    """

    def __init__(
        self,
        fleet: Fleet,
        scheduler: Scheduler,
        store: Store,
        *,
        standing: Callable[[], Standing],
        checks: Callable[[], Sequence[Check]],
        rules: Callable[[], Rules],
    ) -> None:
        self._fleet = fleet
        self._scheduler = scheduler
        self._store = store
        self._standing = standing
        self._checks = checks
        self._rules = rules

    def standing(self) -> Standing:
        """See FleetOffice."""
        return self._standing()

    def snapshots(self) -> Collection[ProjectSnapshot]:
        """See FleetOffice."""
        return self._fleet.snapshots()

    def snapshot(self, project: str) -> ProjectSnapshot:
        """See FleetOffice."""
        snapshot = self._fleet.get(project)
        if snapshot is None:
            msg = f"there is no project {project!r}"
            raise LookupError(msg)
        return snapshot

    def next_polls(self) -> Mapping[str, datetime]:
        """See FleetOffice."""
        return self._scheduler.next_polls()

    def checks(self) -> Sequence[Check]:
        """See FleetOffice."""
        return self._checks()

    def rules(self) -> Rules:
        """See FleetOffice."""
        return self._rules()

    async def history(
        self,
        project: str,
        *,
        authorization: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[HistoryEntry]:
        """See FleetOffice."""
        with said_plainly():
            return await self._store.history(
                project, authorization=authorization, since=since, before=before, limit=limit
            )

    async def poll_now(self, project: str) -> ProjectSnapshot:
        """See FleetOffice."""
        try:
            await self._scheduler.poll_now(project)
        except PollRefusedError as error:
            msg = "too many polls are asked for at once, or the daemon starts or stops; ask later"
            raise UnavailableError(msg) from error
        return self.snapshot(project)
