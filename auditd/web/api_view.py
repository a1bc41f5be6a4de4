"""What the API shows, in its own shapes: fields may be added, what is there stays.

Instants are RFC 3339 in UTC; what there is not is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from auditd.alerting.alert import Alert, AlertState, EndReason
from auditd.alerting.annotations import annotate
from auditd.alerting.delivery import Attempt, AttemptOutcome, Delivery, DeliveryState
from auditd.alerting.notification import Notification, NotificationReason, NotifiedStatus
from auditd.alerting.silence import Silence
from auditd.web.api_types import Instant
from auditd.web.office import HookStanding


class AlertView(msgspec.Struct, frozen=True):
    """An alert."""

    fingerprint: str
    state: AlertState
    suppression: str
    """What keeps it from being told: silenced, inhibited, acknowledged, muted; maybe empty."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    """With `since` and `age`, as of now."""
    active_at: Instant
    fired_at: Instant | None
    resolved_at: Instant | None
    end_reason: EndReason | None
    last_seen_at: Instant
    is_flapping: bool


class SilenceView(msgspec.Struct, frozen=True):
    """A silence."""

    id: str
    state: Literal["pending", "active", "expired"]
    matchers: tuple[str, ...]
    """As they are written: `severity="critical"`."""
    starts_at: Instant
    ends_at: Instant
    author: str
    comment: str


class AttemptView(msgspec.Struct, frozen=True):
    """An attempt at a delivery that is over, or that a person had it owed again."""

    at: Instant
    outcome: AttemptOutcome
    detail: str
    """Why it failed; else empty."""


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery without what it says."""

    id: str
    hook: str
    group_key: str
    state: DeliveryState
    attempts: int
    last_error: str
    created_at: Instant
    next_at: Instant | None
    """When it will be tried; null once it is settled."""
    settled_at: Instant | None
    status: NotifiedStatus
    reason: NotificationReason
    alerts: int
    """How many it tells of."""
    tried: tuple[AttemptView, ...] | msgspec.UnsetType = msgspec.UNSET
    """The newest 30 attempts, the oldest first; only of a delivery that is asked for by its id."""
    notification: Notification | msgspec.UnsetType = msgspec.UNSET
    """What it says; likewise."""


class HookView(msgspec.Struct, frozen=True):
    """A hook, and what it is owed."""

    name: str
    kind: str
    """Its `type` in the configuration."""
    pending: int
    dead: int
    switched_off: str
    """Why it is told nothing until somebody switches it on; empty when it is on."""


def view_alert(alert: Alert, suppression: str, now: datetime) -> AlertView:
    """How an alert is shown."""
    return AlertView(
        fingerprint=alert.fingerprint,
        state=alert.state,
        suppression=suppression,
        labels=alert.labels,
        annotations=annotate(alert, now),
        active_at=alert.active_at,
        fired_at=alert.fired_at,
        resolved_at=alert.resolved_at,
        end_reason=alert.end_reason,
        last_seen_at=alert.last_seen_at,
        is_flapping=alert.is_flapping,
    )


def view_silence(silence: Silence, now: datetime) -> SilenceView:
    """How a silence is shown. At exactly `starts_at` it is active, at `ends_at` expired."""
    state: Literal["pending", "active", "expired"] = "active"
    if now < silence.starts_at:
        state = "pending"
    elif now >= silence.ends_at:
        state = "expired"
    return SilenceView(
        id=silence.id,
        state=state,
        matchers=tuple(str(matcher) for matcher in silence.matchers),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        author=silence.author,
        comment=silence.comment,
    )


def view_delivery(delivery: Delivery) -> DeliveryView:
    """How a delivery is shown among others."""
    notification = delivery.notification
    return DeliveryView(
        id=delivery.id,
        hook=delivery.hook,
        group_key=delivery.group_key,
        state=delivery.state,
        attempts=delivery.attempts,
        last_error=delivery.last_error,
        created_at=delivery.created_at,
        next_at=delivery.next_at if delivery.state is DeliveryState.PENDING else None,
        settled_at=delivery.settled_at,
        status=notification.status,
        reason=notification.reason,
        alerts=len(notification.alerts) + notification.truncated,
    )


def view_whole_delivery(delivery: Delivery) -> DeliveryView:
    """How one delivery is shown, with what was tried and what it says."""
    return msgspec.structs.replace(
        view_delivery(delivery),
        tried=tuple(map(_view_attempt, delivery.tried)),
        notification=delivery.notification,
    )


def _view_attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(attempt.at, attempt.outcome, attempt.detail)


def view_hook(hook: HookStanding) -> HookView:
    """How a hook is shown."""
    return HookView(hook.name, hook.kind, hook.pending, hook.dead, hook.switched_off)
