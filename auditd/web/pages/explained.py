"""A finding with what it means, what to do, and whether somebody accepted it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditd.alerting.exception import AcceptedFinding, last_acceptance
from auditd.alerting.rules import Rules
from auditd.audit.finding import Finding
from auditd.audit.snapshot import ProjectSnapshot


@dataclass(frozen=True, slots=True)
class ExplainedFinding:
    """One finding."""

    finding: Finding
    description: str
    """Empty when its check is not enabled any more."""
    acceptance: AcceptedFinding | None
    """The exception that covers it, be it over or not."""


def explain_findings(
    findings: Iterable[Finding], snapshot: ProjectSnapshot, rules: Rules
) -> Sequence[ExplainedFinding]:
    """The most severe first."""
    listed = snapshot.authorizations or {}
    return [
        ExplainedFinding(
            finding=finding,
            description=rules.rule_of(finding.check).description
            if rules.is_enabled(finding.check)
            else "",
            acceptance=last_acceptance(
                rules.accepted, finding, snapshot.project, listed.get(finding.authorization)
            ),
        )
        for finding in sorted(findings, key=lambda finding: -finding.severity.rank)
    ]
