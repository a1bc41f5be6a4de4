"""Why an authorization has the alerts that it has, and not others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.exception import AcceptedFinding, last_acceptance
from auditd.alerting.rules import Rules
from auditd.audit.authorization import Status
from auditd.audit.explanation import Explanation, explain
from auditd.audit.finding import Severity
from auditd.web.api_fleet import find_authorization
from auditd.web.api_query import Query
from auditd.web.api_route import Call
from auditd.web.api_types import Instant
from auditd.web.fleet_office import FleetOffice
from auditd.web.office import AlertOffice


class AcceptanceView(msgspec.Struct, frozen=True):
    """The exception that covers a finding."""

    owner: str
    reason: str
    until: Instant
    is_over: bool
    """Whether it covered the finding and does not any more."""


class ResultView(msgspec.Struct, frozen=True):
    """The alert that results from a finding."""

    fingerprint: str
    state: AlertState
    suppression: str
    """What keeps it from being told; maybe empty."""
    active_at: Instant
    fires_at: Instant
    """When it fired, or will if the finding stands until then."""


class CheckView(msgspec.Struct, frozen=True):
    """What one enabled check makes of an authorization."""

    check: str
    alertname: str
    description: str
    inputs: Mapping[str, str]
    """What it looks at -> its value."""
    is_found: bool
    """Whether the last poll found it."""
    severity: Severity
    summary: str
    """What was found; empty when nothing was."""
    since: Instant | None
    fires_at: Instant | None
    """When time alone makes it fire, or made it."""
    acceptance: AcceptanceView | None
    alert: ResultView | None


class ExplanationView(msgspec.Struct, frozen=True):
    """What each enabled check makes of an authorization, as of the last poll."""

    project: str
    authorization: str
    status: Status
    seen_at: Instant | None
    checks: tuple[CheckView, ...]


class ExplanationApi:
    """Explains."""

    def __init__(
        self, fleet: FleetOffice, alerts: AlertOffice, now: Callable[[], datetime]
    ) -> None:
        self._fleet = fleet
        self._alerts = alerts
        self._now = now

    async def explanation(self, call: Call[Query, None]) -> ExplanationView:
        """Of one authorization."""
        snapshot, authorization, _ = find_authorization(self._fleet, call.parts)
        rules, name = self._fleet.rules(), authorization.name
        alerts = {
            check: alert
            for alert in self._alerts.known(snapshot.project.name)
            for check, its_authorization in (alert.key,)
            if alert.is_open and its_authorization == name
        }

        def view(explanation: Explanation) -> CheckView:
            finding, alert = explanation.finding, alerts.get(explanation.check.name)
            acceptance = finding and last_acceptance(
                rules.accepted, finding, snapshot.project, authorization
            )
            return _view(
                explanation,
                acceptance=self._acceptance(acceptance) if acceptance else None,
                alert=self._result(alert, rules) if alert else None,
            )

        return ExplanationView(
            project=snapshot.project.name,
            authorization=name,
            status=authorization.status,
            seen_at=snapshot.succeeded_at,
            checks=tuple(map(view, explain(self._fleet.checks(), snapshot, authorization))),
        )

    def _acceptance(self, accepted: AcceptedFinding) -> AcceptanceView:
        is_over = self._now() >= accepted.until
        return AcceptanceView(accepted.owner, accepted.reason, accepted.until, is_over)

    def _result(self, alert: Alert, rules: Rules) -> ResultView:
        fires_at = alert.fired_at
        if alert.state is AlertState.PENDING:
            check, _ = alert.key
            fires_at = alert.active_at + rules.rule_of(check).for_
        return ResultView(
            fingerprint=alert.fingerprint,
            state=alert.state,
            suppression=self._alerts.suppression(alert),
            active_at=alert.active_at,
            fires_at=fires_at or alert.active_at,
        )


def _view(
    explanation: Explanation, *, acceptance: AcceptanceView | None, alert: ResultView | None
) -> CheckView:
    check, finding = explanation.check, explanation.finding
    return CheckView(
        check=check.name,
        alertname=check.alertname,
        description=check.description,
        inputs=explanation.inputs,
        is_found=finding is not None,
        severity=finding.severity if finding else check.severity,
        summary=finding.summary if finding else "",
        since=finding.since if finding else None,
        fires_at=explanation.fires_at,
        acceptance=acceptance,
        alert=alert,
    )
