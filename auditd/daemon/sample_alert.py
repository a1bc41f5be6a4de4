"""The alert that hooks are tried out with. Whoever gets it must see at once that it is a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from auditd.alerting.alert import Alert, AlertState, EndReason, fingerprint_of
from auditd.alerting.grouping import Group
from auditd.alerting.notification import Notification, NotificationReason, compose
from auditd.audit.finding import Severity
from auditd.config.alerting import Alerting
from auditd.config.settings import Settings

_AGE = timedelta(days=90)


def sample_alert(settings: Settings, hook: str, now: datetime) -> Alert:
    """It fires as of `now`. Its labels are always the same for one hook."""
    labels = {
        **settings.global_.labels,
        "alertname": "HookTest",
        "authorization": "example",
        "check": "test",
        "hook": hook,
        "project": "example",
        "project_id": "0" * 32,
        "repo_type": "github",
        "severity": str(Severity.INFO),
    }
    labels = {name: labels[name] for name in sorted(labels)}
    return Alert(
        fingerprint=fingerprint_of(labels),
        labels=labels,
        annotations={
            "summary": f"TEST: hook {hook} of servicestage-auditd is being tried out",
            "description": "Nothing is wrong, and no authorization is concerned. Do nothing.",
            **_links(settings.alerting),
        },
        state=AlertState.FIRING,
        since=now - _AGE,
        active_at=now,
        last_seen_at=now,
        fired_at=now,
    )


def end(alert: Alert, now: datetime) -> Alert:
    """The alert after its end."""
    state, reason = AlertState.RESOLVED, EndReason.CLEARED
    return replace(alert, state=state, resolved_at=now, end_reason=reason)


def notification_of(alert: Alert, hook: str, now: datetime) -> Notification:
    """What the hook is told of it."""
    group = Group(
        key=f"{hook}:{{test}}",
        route_id=hook,
        hook=hook,
        labels={"alertname": alert.labels["alertname"]},
        first_at=now,
    )
    reason = NotificationReason.NEW if alert.is_open else NotificationReason.RESOLVED
    return compose(group, reason, [[alert]], now=now, limit=None)


def _links(alerting: Alerting | None) -> Mapping[str, str]:
    if alerting is None:
        return {}
    links = {"runbook_url": alerting.runbook_url, "console_url": alerting.console_url}
    return {name: link for name, link in links.items() if link}
