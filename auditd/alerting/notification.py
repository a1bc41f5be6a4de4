"""What a hook is told: some alerts of one group, as of one instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auditd.alerting.alert import Alert, EndReason
from auditd.alerting.annotations import annotate
from auditd.alerting.grouping import Group
from auditd.audit.finding import Severity


class NotificationReason(StrEnum):
    """Why a hook is told now; of several the first."""

    NEW = "new"
    """A firing alert that the hook was not told of."""
    RESOLVED = "resolved"
    """One that it was told of has ended."""
    REPEAT = "repeat"
    """Nothing changed for the repeat interval."""


class NotifiedStatus(StrEnum):
    """What is said of one alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class NotifiedAlert:
    """An alert as it is told."""

    fingerprint: str
    status: NotifiedStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    """With its age."""
    starts_at: datetime
    """When it fired."""
    ends_at: datetime | None
    """When it was resolved; None while it fires."""
    end_reason: EndReason | None


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one hook. Whoever delivers it sends the same content at every attempt."""

    hook: str
    group_key: str
    group_labels: Mapping[str, str]
    common_labels: Mapping[str, str]
    """What all alerts agree on, those that were cut off included."""
    common_annotations: Mapping[str, str]
    alerts: tuple[NotifiedAlert, ...]
    """The news first, that is new ones and then ended ones; the more severe first, then by labels.
    So what is cut off is what matters least."""
    status: NotifiedStatus
    """Firing while one alert is, be it cut off or not."""
    reason: NotificationReason
    truncated: int
    """How many alerts were cut off because the hook has a limit."""
    at: datetime


def compose(
    group: Group,
    reason: NotificationReason,
    ranks: Iterable[Iterable[Alert]],
    *,
    now: datetime,
    limit: int | None,
) -> Notification:
    """What the hook of `group` is told of these alerts, at least one of which is there.

    `ranks` are in the order of importance. Of more than `limit` alerts the rest is cut off.
    """
    alerts = [_told(alert, now) for rank in ranks for alert in sorted(rank, key=_urgency)]
    is_firing = any(alert.status is NotifiedStatus.FIRING for alert in alerts)
    shown = tuple(alerts[:limit])
    return Notification(
        hook=group.hook,
        group_key=group.key,
        group_labels=group.labels,
        common_labels=_in_common([alert.labels for alert in alerts]),
        common_annotations=_in_common([alert.annotations for alert in alerts]),
        alerts=shown,
        status=NotifiedStatus.FIRING if is_firing else NotifiedStatus.RESOLVED,
        reason=reason,
        truncated=len(alerts) - len(shown),
        at=now,
    )


def _told(alert: Alert, now: datetime) -> NotifiedAlert:
    return NotifiedAlert(
        fingerprint=alert.fingerprint,
        status=NotifiedStatus.FIRING if alert.is_open else NotifiedStatus.RESOLVED,
        labels=alert.labels,
        annotations=annotate(alert, now),
        starts_at=alert.fired_at or alert.active_at,
        ends_at=alert.resolved_at,
        end_reason=alert.end_reason,
    )


def _urgency(alert: Alert) -> tuple[int, list[tuple[str, str]]]:
    """The more severe first, then by labels."""
    return -Severity(alert.labels["severity"]).rank, sorted(alert.labels.items())


def _in_common(texts: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """The pairs that every mapping has, in the order of the first."""
    return {
        name: text
        for name, text in texts[0].items()
        if all(other.get(name) == text for other in texts)
    }
