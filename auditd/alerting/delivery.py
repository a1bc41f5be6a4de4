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


class AttemptOutcome(StrEnum):
    """What one line of a delivery's past says."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REPLAYED = "replayed"
    """No attempt: a person had it owed again, and attempts are counted from 1 again."""


MOST_TRIED = 30
"""The newest attempts that a delivery remembers. In 72 hours there are some 70 at most."""

_LONGEST_DETAIL = 300
"""Characters: what is said of a receiver's answer, and most of the answer as it is cut before."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a delivery, once it is over."""

    at: datetime
    """When it was over."""
    outcome: AttemptOutcome
    detail: str = ""
    """Why it failed, fit for people, with the receiver's HTTP status; at most 300 characters."""


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
    tried: tuple[Attempt, ...] = ()
    """The newest 30 attempts, the oldest first; replays stay in it as such. An attempt that the
    end of this program cut short is counted in `attempts` and is not here."""


def tried_also(
    delivery: Delivery, outcome: AttemptOutcome, *, at: datetime, detail: str = ""
) -> tuple[Attempt, ...]:
    """What was tried, with one more attempt."""
    if len(detail) > _LONGEST_DETAIL:
        detail = f"{detail[: _LONGEST_DETAIL - 1]}…"
    if delivery.tried and delivery.tried[-1].detail == detail:
        detail = delivery.tried[-1].detail  # the same object: a dead hook is owed thousands
    return (*delivery.tried, Attempt(at, outcome, detail))[-MOST_TRIED:]
