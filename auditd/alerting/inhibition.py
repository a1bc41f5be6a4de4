"""A project that cannot be seen: what was known of it before is not worth telling now."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from auditd.alerting.alert import Alert, AlertState
from auditd.audit.blind import BLIND_CHECK


def blind_projects(alerts: Iterable[Alert]) -> frozenset[str]:
    """The names of the projects whose ProjectBlind fires."""
    return frozenset(
        alert.labels["project"]
        for alert in alerts
        if alert.state is AlertState.FIRING and alert.labels["check"] == BLIND_CHECK
    )


def is_inhibited(alert: Alert, blind: AbstractSet[str]) -> bool:
    """Whether it is one of the other alerts of a blind project."""
    return alert.labels["project"] in blind and alert.labels["check"] != BLIND_CHECK
