"""The stored credential was exercised, and ServiceStage answered that it is invalid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditd.audit.authorization import Authorization
from auditd.audit.finding import Severity
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.rule import Rule
from auditd.audit.verification import Verdict


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.broken`."""

    severity: Severity = Severity.CRITICAL


def build(options: Options) -> Rule:
    """The check for the verdict BROKEN, whatever the listed status says."""
    return Rule(
        name="broken",
        alertname="GitAuthorizationBroken",
        severity=options.severity,
        description=(
            "ServiceStage tried the stored Git credential and calls it invalid, whatever status"
            " it lists. Re-authorize it in the ServiceStage console."
        ),
        judge=_judge,
        inputs=("verdict",),
    )


def _judge(observation: Observation) -> Iterator[tuple[Authorization, str]]:
    for name, verification in observation.verifications.items():
        authorization = observation.authorizations.get(name)
        if authorization and verification.verdict is Verdict.BROKEN:
            yield authorization, "holds a credential that does not work; re-authorize it"


PLUGIN = Plugin("broken", Options, build)
