"""How the API shows projects and what was seen of them: fields may be added, what is there stays.

Instants are RFC 3339 in UTC; what there is not is null.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from auditd.audit.authorization import Authorization, Status, Timestamp, TimestampFault, known_time
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict
from auditd.web.api_types import Instant


class ProjectState(StrEnum):
    """How well a project can be seen."""

    UP = "up"
    """The last poll succeeded."""
    FAILING = "failing"
    """It did not, but not yet too often."""
    BLIND = "blind"
    """Polls failed so often that nothing counts as known."""
    UNTRIED = "untried"
    """It was never polled."""


class ProjectView(msgspec.Struct, frozen=True):
    """A project."""

    name: str
    project_id: str
    region: str
    credential: str
    labels: Mapping[str, str]
    state: ProjectState
    poll_interval_seconds: float
    attempted_at: Instant | None
    succeeded_at: Instant | None
    next_poll_at: Instant | None
    failure: FailureReason | None
    failure_message: str
    failures_in_a_row: int
    authorizations: Mapping[Status, int] | None
    """How many of each status, as last listed; null before a first list."""
    findings: Mapping[Severity, int]


class FindingView(msgspec.Struct, frozen=True):
    """What one check says of an authorization, or of the project itself."""

    project: str
    authorization: str
    """Empty for the project itself."""
    check: str
    alertname: str
    severity: Severity
    summary: str
    since: Instant | None


class AuthorizationView(msgspec.Struct, frozen=True):
    """An authorization as it was listed last."""

    project: str
    name: str
    repo_type: str
    repo_host: str
    repo_user: str
    token_type: str
    tag: str
    status: Status
    raw_status: str
    created_at: Instant | None
    created_at_fault: TimestampFault | None
    """Why there is no creation time."""
    updated_at: Instant | None
    updated_at_fault: TimestampFault | None
    stale_at: Instant | None
    verdict: Verdict | None
    verified_at: Instant | None
    seen_at: Instant | None
    """When it was listed."""
    findings: tuple[FindingView, ...]


class ListedView(msgspec.Struct, frozen=True):
    """An authorization as it was listed at some time."""

    name: str
    repo_type: str
    repo_host: str
    repo_user: str
    token_type: str
    tag: str
    status: Status
    raw_status: str
    created_at: Instant | None
    updated_at: Instant | None


class HistoryView(msgspec.Struct, frozen=True):
    """One thing that became of a project or an authorization."""

    seq: int
    at: Instant
    kind: HistoryKind
    project: str
    authorization: str
    """Empty for what is about the project itself."""
    listed: ListedView | None
    fields: tuple[str, ...]
    """What changed."""
    finding: FindingView | None
    reason: FailureReason | None


def state_of(snapshot: ProjectSnapshot) -> ProjectState:
    """How well the project can be seen."""
    if any(finding.check == BLIND_CHECK for finding in snapshot.findings):
        return ProjectState.BLIND
    if snapshot.is_up:
        return ProjectState.UP
    return ProjectState.FAILING if snapshot.attempted_at else ProjectState.UNTRIED


def view_project(snapshot: ProjectSnapshot, next_poll_at: datetime | None) -> ProjectView:
    """How a project is shown."""
    project = snapshot.project
    listed = snapshot.authorizations
    return ProjectView(
        name=project.name,
        project_id=project.project_id,
        region=project.region,
        credential=project.credential,
        labels=dict(project.labels),
        state=state_of(snapshot),
        poll_interval_seconds=project.poll_interval.total_seconds(),
        attempted_at=snapshot.attempted_at,
        succeeded_at=snapshot.succeeded_at,
        next_poll_at=next_poll_at,
        failure=snapshot.failure,
        failure_message=snapshot.failure_message,
        failures_in_a_row=snapshot.failures_in_a_row,
        authorizations=None if listed is None else Counter(it.status for it in listed.values()),
        findings=Counter(finding.severity for finding in snapshot.findings),
    )


def view_finding(project: str, finding: Finding) -> FindingView:
    """How a finding is shown."""
    return FindingView(
        project=project,
        authorization=finding.authorization,
        check=finding.check,
        alertname=finding.alertname,
        severity=finding.severity,
        summary=finding.summary,
        since=finding.since,
    )


def view_authorization(
    snapshot: ProjectSnapshot, authorization: Authorization, findings: tuple[Finding, ...]
) -> AuthorizationView:
    """How an authorization is shown, with what was found of it."""
    verification = snapshot.verifications.get(authorization.name)
    project = snapshot.project.name
    return AuthorizationView(
        project=project,
        name=authorization.name,
        repo_type=authorization.repo_type,
        repo_host=authorization.repo_host,
        repo_user=authorization.repo_user,
        token_type=authorization.token_type,
        tag=authorization.tag,
        status=authorization.status,
        raw_status=authorization.raw_status,
        created_at=known_time(authorization.created_at),
        created_at_fault=_fault(authorization.created_at),
        updated_at=known_time(authorization.updated_at),
        updated_at_fault=_fault(authorization.updated_at),
        stale_at=snapshot.stale_at.get(authorization.name),
        verdict=verification.verdict if verification else None,
        verified_at=verification.at if verification else None,
        seen_at=snapshot.succeeded_at,
        findings=tuple(view_finding(project, finding) for finding in findings),
    )


def view_history(entry: HistoryEntry) -> HistoryView:
    """How an entry of a history is shown."""
    return HistoryView(
        seq=entry.seq,
        at=entry.at,
        kind=entry.kind,
        project=entry.project,
        authorization=entry.authorization,
        listed=_listed(entry.listed) if entry.listed else None,
        fields=entry.fields,
        finding=view_finding(entry.project, entry.finding) if entry.finding else None,
        reason=entry.reason,
    )


def _listed(authorization: Authorization) -> ListedView:
    return ListedView(
        name=authorization.name,
        repo_type=authorization.repo_type,
        repo_host=authorization.repo_host,
        repo_user=authorization.repo_user,
        token_type=authorization.token_type,
        tag=authorization.tag,
        status=authorization.status,
        raw_status=authorization.raw_status,
        created_at=known_time(authorization.created_at),
        updated_at=known_time(authorization.updated_at),
    )


def _fault(timestamp: Timestamp) -> TimestampFault | None:
    return timestamp if isinstance(timestamp, TimestampFault) else None
