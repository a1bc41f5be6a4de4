"""Notifications as hooks are told them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from auditd.alerting.alert import EndReason
from auditd.alerting.notification import (
    Notification,
    NotificationReason,
    NotifiedAlert,
    NotifiedStatus,
)
from auditd.hooks.port import Message

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)

HOSTILE = "<!channel> & <@all> <b>*x*</b> [a](http://evil.example) `c` <at id=all></at>\r\nBcc: x"
"""What somebody may have named an authorization."""


class Text:
    """A secret that somebody wrote into the configuration."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text


class Unreadable:
    """A secret whose file cannot be read."""

    def reveal(self) -> str:
        raise PermissionError(13, "Permission denied", "/run/secrets/x")


def firing(name: str = "gh-main", **annotations: str) -> NotifiedAlert:
    labels = {
        "alertname": "GitAuthorizationOverdue",
        "authorization": name,
        "check": "overdue",
        "project": "payments",
        "severity": "critical",
    }
    told = {
        "summary": f"github authorization {name} is overdue",
        "console_url": "https://console.example/ss?agencyId=1&region=cn-north-4",
        "runbook_url": "https://docs.example/alerts#GitAuthorizationOverdue",
        "since": "2026-06-01T09:00:00Z",
        "age": "3h",
    }
    return NotifiedAlert(
        fingerprint=name.encode().hex(),
        status=NotifiedStatus.FIRING,
        labels=labels,
        annotations=told | annotations,
        starts_at=AT - timedelta(hours=3),
        ends_at=None,
        end_reason=None,
    )


def resolved(name: str = "gh-side") -> NotifiedAlert:
    return replace(
        firing(name),
        status=NotifiedStatus.RESOLVED,
        ends_at=AT,
        end_reason=EndReason.CLEARED,
    )


def message(*alerts: NotifiedAlert, truncated: int = 0, id_: str = "msg_1") -> Message:
    alerts = alerts or (firing(),)
    is_firing = any(alert.status is NotifiedStatus.FIRING for alert in alerts)
    notification = Notification(
        hook="ops",
        group_key="ops{}:{project=payments}",
        group_labels={"project": "payments"},
        common_labels={"alertname": "GitAuthorizationOverdue", "project": "payments"},
        common_annotations={},
        alerts=alerts,
        status=NotifiedStatus.FIRING if is_firing else NotifiedStatus.RESOLVED,
        reason=NotificationReason.NEW,
        truncated=truncated,
        at=AT,
    )
    return Message(id_, notification, attempt=1, external_url="https://auditd.example")
