"""How the daemon and the whole fleet are, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import msgspec

from auditd.alerting.alert import Alert, AlertState
from auditd.audit.authorization import Status
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.api_fleet_view import ProjectState, state_of
from auditd.web.api_page import Slices
from auditd.web.api_query import Query
from auditd.web.api_route import Call
from auditd.web.api_types import Instant
from auditd.web.fleet_office import FleetOffice
from auditd.web.office import AlertOffice

MOST_BLIND = 100
"""Names of blind projects that are told; the rest is in the list of projects."""


class ConfigView(msgspec.Struct, frozen=True):
    """The configuration that the daemon goes by."""

    file: str
    loaded_at: Instant
    error: str
    """Why the last reload was refused; empty when it was not."""


class StatusView(msgspec.Struct, frozen=True):
    """The daemon and its fleet. Counts have every key, those that are 0 too."""

    version: str
    started_at: Instant
    is_ready: bool
    missing: tuple[str, ...]
    """What the daemon waits for before its silence means health."""
    config: ConfigView
    projects: Mapping[ProjectState, int]
    blind_projects: tuple[str, ...]
    """Sorted; at most 100."""
    authorizations: Mapping[Status, int]
    findings: Mapping[Severity, int]
    alerts: Mapping[AlertState, int]
    next_poll_at: Instant | None
    """Of the project that is due first."""


class StatusApi:
    """Counts."""

    def __init__(self, fleet: FleetOffice, alerts: AlertOffice, slices: Slices) -> None:
        self._fleet = fleet
        self._alerts = alerts
        self._slices = slices

    async def status(self, _call: Call[Query, None]) -> StatusView:
        """As of now; of a large fleet as of the last second."""
        standing = self._fleet.standing()
        projects = Counter(dict.fromkeys(ProjectState, 0))
        authorizations = Counter(dict.fromkeys(Status, 0))
        findings = Counter(dict.fromkeys(Severity, 0))
        alerts = Counter(dict.fromkeys(AlertState, 0))
        blind = []

        def count(snapshot: ProjectSnapshot) -> None:
            state = state_of(snapshot)
            projects[state] += 1
            authorizations.update(it.status for it in (snapshot.authorizations or {}).values())
            findings.update(finding.severity for finding in snapshot.findings)
            if state is ProjectState.BLIND:
                blind.append(snapshot.project.name)

        def count_alert(alert: Alert) -> None:
            alerts[alert.state] += 1

        next_poll_at: datetime | None = None
        next_polls = self._fleet.next_polls()

        def note(project: str) -> None:
            nonlocal next_poll_at
            if at := next_polls.get(project):
                next_poll_at = min(next_poll_at or at, at)

        await self._slices.each(self._fleet.snapshots, count)
        await self._slices.each(self._alerts.known, count_alert)
        await self._slices.each(lambda: next_polls, note)
        return StatusView(
            version=standing.version,
            started_at=standing.started_at,
            is_ready=not standing.missing,
            missing=standing.missing,
            config=ConfigView(
                standing.config_file, standing.config_loaded_at, standing.config_error
            ),
            projects=projects,
            blind_projects=tuple(sorted(blind)[:MOST_BLIND]),
            authorizations=authorizations,
            findings=findings,
            alerts=alerts,
            next_poll_at=next_poll_at,
        )
