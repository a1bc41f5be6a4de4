"""A status that this program does not know is never read as normal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditd.audit.authorization import Authorization, Status
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.unknown_status`."""


def build(options: Options) -> Rule:
    """The check for any status but 0, 1 and 2."""
    return Rule(
        name="unknown_status",
        alertname="GitAuthorizationStatusUnknown",
        severity=options.severity,
        description=(
            "ServiceStage gave a status that is neither normal, overdue nor unauthenticated."
            " Look at the authorization in the ServiceStage console."
        ),
        judge=_judge,
        inputs=("status", "raw_status"),
    )


def _judge(observation: Observation) -> Iterator[tuple[Authorization, str]]:
    for authorization in observation.authorizations.values():
        if authorization.status is Status.UNKNOWN:
            yield authorization, f"has an unknown status: {authorization.raw_status or 'none'}"


PLUGIN = Plugin("unknown_status", Options, build)
