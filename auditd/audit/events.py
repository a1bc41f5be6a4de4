"""What happened, as values. Telemetry renders the same value as a log line and as counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from auditd.audit.authorization import Authorization
from auditd.audit.failure import FailureReason, SkipReason
from auditd.audit.finding import Finding
from auditd.audit.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class PollFinished:
    """A list came.

    `lag_seconds` is from the slot to the moment the request could be sent. `is_news` tells
    whether anything is known now that was not known before.
    """

    project: str
    duration_seconds: float
    lag_seconds: float
    authorizations: int
    findings: int
    warnings: tuple[str, ...]
    is_news: bool


@dataclass(frozen=True, slots=True)
class PollFailed:
    """No list came. `message` is fit for people; see PollError."""

    project: str
    reason: FailureReason
    message: str
    duration_seconds: float
    lag_seconds: float
    failures_in_a_row: int


@dataclass(frozen=True, slots=True)
class PollSkipped:
    """`slots` consecutive slots passed without a poll of their own."""

    project: str
    reason: SkipReason
    slots: int


@dataclass(frozen=True, slots=True)
class FindingFlagged:
    """A finding that was not there after the previous poll, or has another severity now."""

    project: str
    finding: Finding
    authorization: Authorization | None
    at: datetime


@dataclass(frozen=True, slots=True)
class FindingCleared:
    """A finding of the previous poll that is gone."""

    project: str
    finding: Finding
    authorization: Authorization | None
    """As listed now, else as it was last listed; None for the project's own findings."""
    at: datetime


@dataclass(frozen=True, slots=True)
class AuthorizationAdded:
    """A name that the previous list did not have. Not emitted for a project's first list."""

    project: str
    authorization: Authorization


@dataclass(frozen=True, slots=True)
class AuthorizationRemoved:
    """A name that only the previous list had."""

    project: str
    authorization: Authorization


@dataclass(frozen=True, slots=True)
class AuthorizationChanged:
    """The same name with other content. `fields` names what changed, sorted."""

    project: str
    before: Authorization
    after: Authorization
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CredentialRefreshed:
    """New keys or a new token were fetched. `scope` is a project id, or empty."""

    credential: str
    scope: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class CredentialRejected:
    """The remote side refused the credential; nothing is sent with it until `held_until`."""

    credential: str
    scope: str
    """The project id when only that project's use of the credential is held, else empty."""
    reason: FailureReason
    message: str
    held_until: datetime


@dataclass(frozen=True, slots=True)
class CredentialThrottled:
    """The remote side wants fewer requests; nothing is sent with it until `held_until`."""

    credential: str
    held_until: datetime


@dataclass(frozen=True, slots=True)
class DiscoveryAdded:
    """A project joined the fleet. `source` is for example `iam/prod`."""

    source: str
    project: str
    project_id: str
    region: str


@dataclass(frozen=True, slots=True)
class DiscoveryRemoved:
    """A project left the fleet; its series end with this event."""

    source: str
    project: str


@dataclass(frozen=True, slots=True)
class DiscoveryFailed:
    """A source could not be read; the projects that it gave before stay."""

    source: str
    message: str
    failures_in_a_row: int = 1
    """This one included."""


Event: TypeAlias = (
    PollFinished
    | PollFailed
    | PollSkipped
    | FindingFlagged
    | FindingCleared
    | AuthorizationAdded
    | AuthorizationRemoved
    | AuthorizationChanged
    | CredentialRefreshed
    | CredentialRejected
    | CredentialThrottled
    | DiscoveryAdded
    | DiscoveryRemoved
    | DiscoveryFailed
)

Emit: TypeAlias = Callable[[Event], None]
"""Where events go. It never raises and never blocks."""
