"""The rows of one project, as they are compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from auditd.alerting.alert import Alert
from auditd.audit.authorization import Authorization
from auditd.audit.quick import quick
from auditd.store.codec import Sight, alert_body, sight_of
from auditd.store.poll import Poll
from auditd.store.state import StoredSnapshot


@quick
@dataclass(frozen=True, slots=True, eq=False)
class AlertRow:
    """An alert as it is stored. Two are equal when the same is stored of them."""

    alert: Alert
    """Its own `last_seen_at` does not count."""
    last_seen_at: datetime | None
    """None while it is the project's `sighted_at`."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, AlertRow)
            and self.last_seen_at == other.last_seen_at
            and (self.alert is other.alert or alert_body(self.alert) == alert_body(other.alert))
        )

    __hash__ = None  # type: ignore[assignment]  # nobody needs it, and mappings have none


AlertRows: TypeAlias = Mapping[str, AlertRow]
"""By fingerprint."""


@quick
@dataclass(frozen=True, slots=True)
class ProjectRows:
    """The rows of one project."""

    project_id: str
    sight: Sight
    authorizations: Mapping[str, Authorization]
    alerts: AlertRows

    def is_seen_as(self, other: ProjectRows) -> bool:
        """Whether all but the list and the alerts is the same."""
        return self.project_id == other.project_id and self.sight == other.sight


def rows_of(poll: Poll) -> ProjectRows:
    """Those that a poll makes."""
    return ProjectRows(
        project_id=poll.snapshot.project.project_id,
        sight=sight_of(poll.snapshot),
        authorizations=poll.snapshot.authorizations or {},
        alerts=alert_rows(poll.alerts, poll.times.sighted_at),
    )


def stored_rows(
    stored: StoredSnapshot, alerts: Mapping[str, tuple[Alert, ...]], name: str
) -> ProjectRows:
    """Those that were read, of the project of this name."""
    known = alert_rows(alerts.get(name, ()), stored.times.sighted_at)
    return ProjectRows(stored.project_id, stored.sight, stored.authorizations, known)


def alert_rows(alerts: Iterable[Alert], sighted_at: datetime | None) -> AlertRows:
    """Those of alerts, of which the latest was seen at that instant."""
    return {
        alert.fingerprint: AlertRow(
            alert=alert,
            last_seen_at=None if alert.last_seen_at == sighted_at else alert.last_seen_at,
        )
        for alert in alerts
    }
