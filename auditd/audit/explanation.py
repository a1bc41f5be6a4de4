"""Why each check fires on an authorization, or does not: what it looked at, and what it said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding
from auditd.audit.instant import format_instant
from auditd.audit.policy import Check
from auditd.audit.snapshot import ProjectSnapshot


@dataclass(frozen=True, slots=True)
class Explanation:
    """One check and one authorization, as of the last list."""

    check: Check
    finding: Finding | None
    """None when the check did not fire."""
    inputs: Mapping[str, str]
    """What the check looks at -> its value, for people."""
    fires_at: datetime | None
    """When time alone makes it fire, or made it; None when time does not."""


def explain(
    checks: Iterable[Check], snapshot: ProjectSnapshot, authorization: Authorization
) -> tuple[Explanation, ...]:
    """What each of the checks makes of an authorization of the snapshot, in their order."""
    found = {
        finding.check: finding
        for finding in snapshot.findings
        if finding.authorization == authorization.name
    }
    return tuple(
        Explanation(
            check=check,
            finding=found.get(check.name),
            inputs={name: _value(name, snapshot, authorization) for name in check.inputs},
            fires_at=check.fires_at(snapshot.project, authorization),
        )
        for check in checks
    )


def _value(name: str, snapshot: ProjectSnapshot, authorization: Authorization) -> str:
    match name:
        case "project":
            return snapshot.project.name
        case "region":
            return snapshot.project.region
        case "labels":
            return ", ".join(f"{name}={value}" for name, value in snapshot.project.labels)
        case "authorization":
            return authorization.name
        case "verdict":
            verification = snapshot.verifications.get(authorization.name)
            return str(verification.verdict) if verification else "none"
        case _:  # the rest are the authorization's own fields
            value = getattr(authorization, name)
            return format_instant(value) if isinstance(value, datetime) else str(value)
