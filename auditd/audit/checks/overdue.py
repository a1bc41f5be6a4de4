"""The stored credential has expired: builds that use it fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Severity
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.overdue`."""

    severity: Severity = Severity.CRITICAL


def build(options: Options) -> Rule:
    """The check for status 1 (overdue)."""
    return Rule(
        name="overdue",
        alertname="GitAuthorizationOverdue",
        severity=options.severity,
        description=(
            "ServiceStage says that the authorization has expired; builds, pipelines and upgrades"
            " from its repositories fail. Re-authorize it in the ServiceStage console."
        ),
        judge=_judge,
        inputs=("status",),
    )


def _judge(observation: Observation) -> Iterator[tuple[Authorization, str]]:
    for authorization in observation.authorizations.values():
        if authorization.status is Status.OVERDUE:
            yield authorization, "is overdue; re-authorize it"


PLUGIN = Plugin("overdue", Options, build)
