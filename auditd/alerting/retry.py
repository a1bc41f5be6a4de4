"""When a delivery that failed is tried again, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_NO_TIME = timedelta(0)
_HOUR = timedelta(hours=1)
_FIRST_CEILING = timedelta(seconds=1)
_HIGHEST_CEILING = _HOUR
_RETRY_AFTER_CEILING = _HOUR
_QUICK_DELAYS = 12
"""How many ceilings lie below the highest: 1 s to 2048 s, together a little more than an hour."""
_SLOW_FLOOR = timedelta(hours=3)
"""With 13 quick attempts it leaves room for 7 more in the first 24 hours: 20 in all."""
_PATIENCE = timedelta(hours=72)
_PATIENCE_WITH_REFUSALS = _HOUR


class FailureKind(StrEnum):
    """What a failed attempt says of the next."""

    TRANSIENT = "transient"
    """It may work later: the network, a timeout, 429, 5xx."""
    REFUSED = "refused"
    """It works only once somebody mends something: 3xx, other 4xx, a program that says so."""
    GONE = "gone"
    """The receiver does not want to be told any more: 410."""


class DeathReason(StrEnum):
    """Why a delivery was given up."""

    EXPIRED = "expired"
    """Tried for 72 hours."""
    REFUSED = "refused"
    """Tried for an hour, and refused."""
    GONE = "gone"
    """The hook itself is to be switched off."""
    HOOK_REMOVED = "hook_removed"
    """The hook is not configured any more."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How an attempt ended."""

    kind: FailureKind
    retry_after: timedelta | None = None
    """What the receiver asked for (Retry-After). More than an hour counts as an hour."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """The delivery is tried again."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Dead:
    """The delivery is given up. It stays, and people can have it replayed."""

    reason: DeathReason


def next_attempt(
    attempts: int, age: timedelta, failure: Failure, *, random_fraction: float, now: datetime
) -> RetryAt | Dead:
    """What follows on a failed attempt.

    Full jitter: the delay is a random part of a ceiling that doubles from one second up to an
    hour. From the 13th attempt on three hours are added, so that there are at most 20 attempts
    in any 24 hours. The last attempt is made just as the patience ends: after 72 hours, or after
    one hour of a delivery that is refused.

    Args:
        attempts: how many were made, this one included; at least 1.
        age: since the first attempt. A negative one, from a clock that was set back, counts as 0.
        failure: how the last attempt ended.
        random_fraction: evenly distributed, from 0 up to but not including 1.
        now: the instant that the delay is counted from.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (full
    jitter); https://github.com/standard-webhooks/standard-webhooks (days of patience, 410).
    """
    is_refused = failure.kind is FailureKind.REFUSED
    left = (_PATIENCE_WITH_REFUSALS if is_refused else _PATIENCE) - max(age, _NO_TIME)
    if failure.kind is FailureKind.GONE:
        return Dead(DeathReason.GONE)
    if left <= _NO_TIME:
        return Dead(DeathReason.REFUSED if is_refused else DeathReason.EXPIRED)
    asked = min(failure.retry_after or _NO_TIME, _RETRY_AFTER_CEILING)
    return RetryAt(now + max(min(_delay(attempts, random_fraction), left), asked))


def _delay(attempts: int, random_fraction: float) -> timedelta:
    if attempts > _QUICK_DELAYS:
        return _SLOW_FLOOR + random_fraction * _HIGHEST_CEILING
    return random_fraction * _FIRST_CEILING * (1 << (attempts - 1))
