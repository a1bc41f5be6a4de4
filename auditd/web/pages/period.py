"""Where a silence is in its time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from auditd.alerting.silence import Silence


class Period(StrEnum):
    """Before it, in it, after it."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


def period_of(silence: Silence, now: datetime) -> Period:
    """At exactly `starts_at` a silence is active, at `ends_at` it is over."""
    if now < silence.starts_at:
        return Period.PENDING
    return Period.ACTIVE if now < silence.ends_at else Period.EXPIRED
