"""One project, its findings and its alerts, as most of the tests here need them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from auditd.alerting.alert import Alert, AlertState, fingerprint_of
from auditd.alerting.life import Transition
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.authorization import Authorization, Status
from auditd.audit.blind import blind_finding
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

PROJECT = Project(
    name="payments",
    project_id="0123456789abcdef0123456789abcdef",
    region="cn-north-4",
    credential="prod",
    poll_interval=timedelta(minutes=5),
    poll_timeout=timedelta(seconds=30),
    labels=(("team", "pay"),),
)
RULES = Rules(
    checks={
        "overdue": CheckRule("The authorization has expired."),
        "stale": CheckRule("The authorization is old."),
    },
    runbook_url="https://docs.example/alerts",
)


def authorization(name: str) -> Authorization:
    return Authorization(
        name=name,
        repo_type="github",
        repo_host="https://api.github.com",
        repo_user="octocat",
        token_type="oauth",
        tag="",
        status=Status.OVERDUE,
        raw_status="1",
        created_at=AT - 400 * DAY,
        updated_at=AT - 100 * DAY,
    )


def overdue(name: str = "gh-main") -> Finding:
    return Finding(
        check="overdue",
        alertname="GitAuthorizationOverdue",
        severity=Severity.CRITICAL,
        authorization=name,
        summary=f"github authorization {name} is overdue",
    )


def stale(name: str = "gh-main", severity: Severity = Severity.WARNING) -> Finding:
    return Finding(
        check="stale",
        alertname="GitAuthorizationStale",
        severity=severity,
        authorization=name,
        summary=f"github authorization {name} is old",
        since=AT - 10 * DAY,
    )


def listed(*findings: Finding, names: Iterable[str] = ("gh-main", "gh-side")) -> ProjectSnapshot:
    """A poll that succeeded."""
    return ProjectSnapshot(
        project=PROJECT,
        attempted_at=AT,
        succeeded_at=AT,
        authorizations={name: authorization(name) for name in names},
        findings=findings,
    )


def failed(previous: ProjectSnapshot, *, is_blind: bool = False) -> ProjectSnapshot:
    """A poll that failed after `previous`."""
    blind = blind_finding(PROJECT.name, FailureReason.TIMEOUT, previous.succeeded_at)
    return replace(
        previous,
        failure=FailureReason.TIMEOUT,
        findings=(*previous.findings, blind) if is_blind else previous.findings,
    )


def firing(
    alertname: str = "GitAuthorizationOverdue", *, at: datetime = AT, **labels: str
) -> Alert:
    """An alert that fires since `at`, with these labels beside or instead of the usual ones."""
    every = {
        "alertname": alertname,
        "authorization": "gh-main",
        "check": "overdue",
        "project": "payments",
        "severity": "critical",
        **labels,
    }
    return Alert(
        fingerprint=fingerprint_of(every),
        labels=dict(sorted(every.items())),
        annotations={"summary": f"{alertname} of {every['authorization']}"},
        state=AlertState.FIRING,
        since=at,
        active_at=at,
        last_seen_at=at,
        fired_at=at,
    )


def resolved(alert: Alert, at: datetime) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=at)


def pending_again(alert: Alert, at: datetime) -> Alert:
    """Its finding came back, and does not fire yet."""
    return replace(alert, state=AlertState.PENDING, since=at, active_at=at, last_seen_at=at)


def by_fingerprint(*alerts: Alert) -> Mapping[str, Alert]:
    return {alert.fingerprint: alert for alert in alerts}


def states(alerts: Iterable[Alert]) -> list[tuple[str, str, str]]:
    """Check, severity and state of each, sorted."""
    return sorted(
        (alert.labels["check"], alert.labels["severity"], str(alert.state)) for alert in alerts
    )


def told(transitions: Iterable[Transition]) -> list[tuple[str, str, str]]:
    """Check, state and end reason of each, in order."""
    return [
        (change.alert.labels["check"], str(change.alert.state), str(change.alert.end_reason or ""))
        for change in transitions
    ]
