"""The one finding about a project itself: that nothing can be seen of it."""

from __future__ import annotations

from datetime import datetime

from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.instant import format_instant

BLIND_CHECK = "blind"
BLIND_ALERT = "ProjectBlind"
BLIND_SEVERITY = Severity.CRITICAL


def blind_finding(project: str, reason: FailureReason, succeeded_at: datetime | None) -> Finding:
    """`project` could not be polled for too long, last for `reason`."""
    seen = f"last seen {format_instant(succeeded_at)}" if succeeded_at else "never seen so far"
    return Finding(
        check=BLIND_CHECK,
        alertname=BLIND_ALERT,
        severity=BLIND_SEVERITY,
        authorization="",
        summary=f"project {project} cannot be polled ({reason}); {seen}",
        since=succeeded_at,
    )
