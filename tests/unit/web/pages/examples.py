"""Projects, authorizations, alerts and deliveries, healthy unless a test says otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from auditd.alerting.alert import Alert, AlertState, EndReason, fingerprint_of
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.notification import (
    Notification,
    NotificationReason,
    NotifiedAlert,
    NotifiedStatus,
)
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RULES = Rules(
    checks={
        "overdue": CheckRule("ServiceStage says that the authorization has expired."),
        "stale": CheckRule(
            "The authorization was not renewed for longer than allowed; Git hosts expire or remove"
            " old credentials. Renew the credential and re-authorize it in the ServiceStage"
            " console."
        ),
    },
    runbook_url="https://runbooks.acme.example/auditd",
)


def project_of(name: str = "payments", **changes: object) -> Project:
    project = Project(
        name=name,
        project_id="0123456789abcdef0123456789abcdef",
        region="cn-north-4",
        credential="prod",
        poll_interval=5 * MINUTE,
        poll_timeout=timedelta(seconds=30),
    )
    return replace(project, **changes)  # type: ignore[arg-type]  # tests name real fields


def listed_as(name: str, **changes: object) -> Authorization:
    listed = Authorization(
        name=name,
        repo_type="github",
        repo_host="https://api.github.com",
        repo_user="octocat",
        token_type="oauth",
        tag="",
        status=Status.NORMAL,
        raw_status="0",
        created_at=NOW - 400 * DAY,
        updated_at=NOW - 10 * DAY,
    )
    return replace(listed, **changes)  # type: ignore[arg-type]  # tests name real fields


def seen(
    project: Project, *listed: Authorization, findings: tuple[Finding, ...] = ()
) -> ProjectSnapshot:
    """A project whose last poll, a minute ago, brought these."""
    return ProjectSnapshot(
        project=project,
        attempted_at=NOW - MINUTE,
        succeeded_at=NOW - MINUTE,
        authorizations={one.name: one for one in listed},
        findings=findings,
        stale_at={
            one.name: one.updated_at + 90 * DAY
            for one in listed
            if isinstance(one.updated_at, datetime)
        },
    )


def finding_of(authorization: str, **changes: object) -> Finding:
    finding = Finding(
        check="overdue",
        alertname="GitAuthorizationOverdue",
        severity=Severity.CRITICAL,
        authorization=authorization,
        summary=f"github authorization {authorization} is overdue; re-authorize it",
        since=NOW - 2 * HOUR,
    )
    return replace(finding, **changes)  # type: ignore[arg-type]  # tests name real fields


def alert_of(
    authorization: str,
    project: str = "payments",
    state: AlertState = AlertState.FIRING,
    severity: str = "critical",
    **labels: str,
) -> Alert:
    given = {
        "alertname": "GitAuthorizationOverdue",
        "authorization": authorization,
        "check": "overdue",
        "project": project,
        "severity": severity,
        **labels,
    }
    return Alert(
        fingerprint=fingerprint_of(given),
        labels={name: given[name] for name in sorted(given) if given[name]},
        annotations={
            "summary": f"github authorization {authorization} is overdue; re-authorize it",
            "description": RULES.checks["overdue"].description,
            "console_url": "https://console.example/servicestage/?agencyId=1",
        },
        state=state,
        since=NOW - 50 * HOUR,
        active_at=NOW - HOUR,
        last_seen_at=NOW,
        fired_at=None if state is AlertState.PENDING else NOW - HOUR,
        resolved_at=NOW if state is AlertState.RESOLVED else None,
        end_reason=EndReason.CLEARED if state is AlertState.RESOLVED else None,
    )


def delivery_of(
    id_: str, *alerts: Alert, state: DeliveryState = DeliveryState.DELIVERED, **changes: object
) -> Delivery:
    told = tuple(
        NotifiedAlert(
            fingerprint=alert.fingerprint,
            status=NotifiedStatus.FIRING,
            labels=alert.labels,
            annotations=alert.annotations,
            starts_at=NOW - HOUR,
            ends_at=None,
            end_reason=None,
        )
        for alert in alerts
    )
    notification = Notification(
        hook="ops",
        group_key='ops{}:{project="payments"}',
        group_labels={"project": "payments"},
        common_labels={},
        common_annotations={},
        alerts=told,
        status=NotifiedStatus.FIRING,
        reason=NotificationReason.NEW,
        truncated=0,
        at=NOW - HOUR,
    )
    delivery = Delivery(
        id=id_,
        hook="ops",
        group_key=notification.group_key,
        notification=notification,
        created_at=NOW - HOUR,
        next_at=NOW + MINUTE,
        state=state,
        attempts=1,
        settled_at=None if state is DeliveryState.PENDING else NOW - HOUR,
    )
    return replace(delivery, **changes)  # type: ignore[arg-type]  # tests name real fields
