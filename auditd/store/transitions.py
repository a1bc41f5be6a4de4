"""What the trail is told of alerts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from auditd.alerting.alert import AlertState
from auditd.alerting.life import Transition
from auditd.store.trail import TrailEvent, TrailKind, append


def enter(connection: Connection, transitions: Iterable[Transition]) -> None:
    """Enter what fired and what ended into the trail."""
    if events := [_event(transition) for transition in transitions]:
        append(connection, events)


def _event(transition: Transition) -> TrailEvent:
    alert = transition.alert
    is_firing = alert.state is AlertState.FIRING
    names = ("alertname", "project", "authorization", "severity")
    detail = {name: alert.labels.get(name, "") for name in names}
    detail["end_reason"] = "" if is_firing else str(alert.end_reason or "")
    kind = TrailKind.ALERT_FIRED if is_firing else TrailKind.ALERT_RESOLVED
    return TrailEvent(transition.at, kind, alert.fingerprint, detail)
