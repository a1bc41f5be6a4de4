"""What an attempt means for its delivery, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from auditd.alerting.delivery import AttemptOutcome, Delivery, DeliveryState, tried_also
from auditd.alerting.events import DeliveryDead, DeliveryRetried, DeliverySent, SendFailure
from auditd.alerting.retry import DeathReason, RetryAt, next_attempt
from auditd.hooks.lane import Parcel
from auditd.hooks.port import HookError


def delivered(delivery: Delivery, *, duration_seconds: float, now: datetime) -> Parcel:
    """The receiver has it."""
    latency = now - delivery.created_at
    sent = DeliverySent(
        hook=delivery.hook,
        id=delivery.id,
        group_key=delivery.group_key,
        alerts=len(delivery.notification.alerts),
        attempt=delivery.attempts,
        duration_seconds=duration_seconds,
        latency_seconds=max(0.0, latency.total_seconds()),
    )
    tried = tried_also(delivery, AttemptOutcome.DELIVERED, at=now)
    state = DeliveryState.DELIVERED
    return Parcel(replace(delivery, state=state, last_error="", settled_at=now, tried=tried), sent)


def failed(
    delivery: Delivery, error: HookError, *, random_fraction: float, now: datetime
) -> Parcel:
    """The receiver has it not: it is tried again, or that was the last attempt."""
    age = now - delivery.created_at
    verdict = next_attempt(
        delivery.attempts, age, error.failure, random_fraction=random_fraction, now=now
    )
    message = str(error)
    tried = tried_also(delivery, AttemptOutcome.FAILED, at=now, detail=message)
    delivery = replace(delivery, last_error=message, tried=tried)
    if isinstance(verdict, RetryAt):
        retried = DeliveryRetried(
            hook=delivery.hook,
            id=delivery.id,
            group_key=delivery.group_key,
            attempt=delivery.attempts,
            reason=error.reason,
            message=message,
            next_at=verdict.at,
        )
        return Parcel(replace(delivery, next_at=verdict.at), retried)
    return _dead(delivery, error.reason, message, verdict.reason, now)


def abandoned(delivery: Delivery, *, now: datetime) -> Parcel:
    """The hook was removed, and with it whatever it is owed; that can be replayed by people."""
    message = (
        f"hook {delivery.hook!r} was removed from the configuration; replay this delivery when it"
        " is there again"
    )
    return _dead(delivery, SendFailure.FAILED, message, DeathReason.HOOK_REMOVED, now)


def _dead(
    delivery: Delivery, reason: SendFailure, message: str, death: DeathReason, now: datetime
) -> Parcel:
    dead = DeliveryDead(
        hook=delivery.hook,
        id=delivery.id,
        group_key=delivery.group_key,
        attempts=delivery.attempts,
        reason=reason,
        message=message,
        death=death,
    )
    state = DeliveryState.DEAD
    return Parcel(replace(delivery, state=state, last_error=message, settled_at=now), dead)
