"""One notification owed to one hook, from the moment it is owed until it is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auditd.alerting.notification import Notification


class DeliveryState(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    """Owed: it will be tried at `next_at`."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up; it can be replayed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox.

    `id` is the idempotency key: the same at every attempt and after every restart. The
    notification is frozen when the row is written, so that every attempt sends the same.
    """

    id: str
    hook: str
    group_key: str
    notification: Notification
    created_at: datetime
    next_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    last_error: str = ""
    """Of the last attempt, fit for people; empty when there was none or it succeeded."""
    settled_at: datetime | None = None
    """When it was delivered or given up."""
