"""The authorization was never completed, or is no longer accepted."""

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
    """The keys of `checks.unauthenticated`."""

    severity: Severity = Severity.CRITICAL


def build(options: Options) -> Rule:
    """The check for status 2 (unauthenticated)."""
    return Rule(
        name="unauthenticated",
        alertname="GitAuthorizationUnauthenticated",
        severity=options.severity,
        description=(
            "ServiceStage says that the authorization is not authenticated, so nothing can be"
            " built with it. Finish or repeat the authorization in the ServiceStage console."
        ),
        judge=_judge,
        inputs=("status",),
    )


def _judge(observation: Observation) -> Iterator[tuple[Authorization, str]]:
    for authorization in observation.authorizations.values():
        if authorization.status is Status.UNAUTHENTICATED:
            yield authorization, "is not authenticated; authorize it again"


PLUGIN = Plugin("unauthenticated", Options, build)
