"""The rows of one project, as they are compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

from auditd.alerting.alert import Alert
from auditd.store.codec import Sight, sight_of
from auditd.store.poll import Poll
from auditd.store.state import StoredSnapshot

_UNTOLD = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it is stored."""

    alert: Alert
    """With `last_seen_at` blanked."""
    last_seen_at: datetime | None
    """None while it is the project's `sighted_at`."""


AlertRows: TypeAlias = Mapping[str, AlertRow]
"""By fingerprint."""


@dataclass(frozen=True, slots=True)
class ProjectRows:
    """The rows of one project."""

    project_id: str
    sight: Sight
    alerts: AlertRows


def rows_of(poll: Poll) -> ProjectRows:
    """Those that a poll makes."""
    return ProjectRows(
        project_id=poll.snapshot.project.project_id,
        sight=sight_of(poll.snapshot),
        alerts=alert_rows(poll.alerts, poll.times.sighted_at),
    )


def stored_rows(
    stored: StoredSnapshot, alerts: Mapping[str, tuple[Alert, ...]], name: str
) -> ProjectRows:
    """Those that were read, of the project of this name."""
    known = alert_rows(alerts.get(name, ()), stored.times.sighted_at)
    return ProjectRows(stored.project_id, stored.sight, known)


def alert_rows(alerts: Iterable[Alert], sighted_at: datetime | None) -> AlertRows:
    """Those of alerts, of which the latest was seen at that instant."""
    return {
        alert.fingerprint: AlertRow(
            alert=replace(alert, last_seen_at=_UNTOLD),
            last_seen_at=None if alert.last_seen_at == sighted_at else alert.last_seen_at,
        )
        for alert in alerts
    }
