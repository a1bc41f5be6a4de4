"""Every check on one observation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from auditd.audit.authorization import Authorization, known_time
from auditd.audit.blind import BLIND_ALERT, BLIND_CHECK, BLIND_SEVERITY
from auditd.audit.finding import Finding, Severity
from auditd.audit.plugin import Plugin
from auditd.audit.policy import Check, CheckOptions, Observation

_BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts as wrong.

    `blind_after` is the number of failed polls in a row with which a project counts as unseen,
    at least 1.
    """

    checks: tuple[Check, ...]
    blind_after: int

    @property
    def alertnames(self) -> frozenset[str]:
        """Those of all that can be found; blindness is among them."""
        return frozenset({BLIND_ALERT, *(check.alertname for check in self.checks)})

    @property
    def severities(self) -> Mapping[str, frozenset[Severity]]:
        """Check name -> the severities that its findings can have; blindness is among them."""
        return {
            **{check.name: check.severities for check in self.checks},
            BLIND_CHECK: frozenset({BLIND_SEVERITY}),
        }


def build_policy(
    plugins: Mapping[str, Plugin[Any, Check]],
    options: Mapping[str, CheckOptions],
    blind_after: int,
) -> Policy:
    """The enabled checks, in the order of `plugins`; one that is not in `options` has defaults."""
    chosen = {name: options.get(name) or plugin.options() for name, plugin in plugins.items()}
    return Policy(
        checks=tuple(
            plugin.build(chosen[name]) for name, plugin in plugins.items() if chosen[name].enabled
        ),
        blind_after=blind_after,
    )


def run_checks(policy: Policy, observation: Observation) -> tuple[Finding, ...]:
    """All that is wrong, sorted by key."""
    findings = (finding for check in policy.checks for finding in check.inspect(observation))
    return tuple(sorted(findings, key=lambda finding: finding.key))


def distinct(listed: Sequence[Authorization]) -> Mapping[str, Authorization]:
    """One authorization for each name, sorted by name, whatever the order of `listed`.

    Of several entries of one name the worst status counts, then the later update.
    """
    chosen = {authorization.name: authorization for authorization in listed}
    if len(chosen) < len(listed):
        for authorization in listed:
            other = chosen[authorization.name]
            if other is not authorization:
                chosen[authorization.name] = max(other, authorization, key=_precedence)
    return {name: chosen[name] for name in sorted(chosen)}


def _precedence(authorization: Authorization) -> tuple[int, datetime, str]:
    return (
        authorization.status.badness,
        known_time(authorization.updated_at) or _BEGINNING_OF_TIME,
        repr(authorization),  # any fixed order of what is left, so that the list's is not felt
    )
