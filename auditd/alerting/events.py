"""What became of telling people, as values. Telemetry renders them as log lines and counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from auditd.alerting.retry import DeathReason


class SendFailure(StrEnum):
    """The closed set behind the label `reason` of auditd_notifications_failed_total."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    THROTTLED = "throttled"
    """The receiver wants fewer messages."""
    SERVER = "server"
    """The receiver says that it is in trouble: 5xx, or what its protocol has instead."""
    REFUSED = "refused"
    """The receiver does not want this message: another status, or what its protocol has."""
    GONE = "gone"
    """The receiver does not want any message any more."""
    BLOCKED_ADDRESS = "blocked_address"
    """The receiver's address is one that nothing is ever sent to."""
    FAILED = "failed"
    """What is needed for sending failed on our side: a program, a secret's file, a template."""
    INTERNAL = "internal"
    """A defect of this program."""


@dataclass(frozen=True, slots=True)
class DeliverySent:
    """The receiver took it."""

    hook: str
    id: str
    group_key: str
    alerts: int
    """How many it told of."""
    attempt: int
    """From 1."""
    duration_seconds: float
    """Of this attempt."""
    latency_seconds: float
    """From the instant that it was owed to the receiver's answer."""


@dataclass(frozen=True, slots=True)
class DeliveryRetried:
    """An attempt failed; there will be another."""

    hook: str
    id: str
    group_key: str
    attempt: int
    """The one that failed, from 1."""
    reason: SendFailure
    message: str
    """Fit for people; see HookError."""
    next_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryDead:
    """An attempt failed and was the last. With `death` GONE the hook is switched off too.

    With HOOK_REMOVED nothing was attempted: there is nobody to be told any more.
    """

    hook: str
    id: str
    group_key: str
    attempts: int
    reason: SendFailure
    message: str
    death: DeathReason


@dataclass(frozen=True, slots=True)
class StateSent:
    """One peer of a hook that is told the state took all alerts but the refused ones."""

    hook: str
    peer: int
    """Which of the configured ones, from 0."""
    alerts: int
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class StateFailed:
    """One peer did not take the state; it is told again with the next refresh."""

    hook: str
    peer: int
    reason: SendFailure
    message: str


@dataclass(frozen=True, slots=True)
class AlertRefused:
    """One peer took the state without this alert, which it refused. Told once an alert."""

    hook: str
    peer: int
    fingerprint: str
    alertname: str
    project: str
    message: str


DeliveryEvent: TypeAlias = (
    DeliverySent | DeliveryRetried | DeliveryDead | StateSent | StateFailed | AlertRefused
)

Emit: TypeAlias = Callable[[DeliveryEvent], None]
"""Where events go. It never raises and never blocks."""
