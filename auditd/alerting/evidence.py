"""What a poll and the configuration say about alerts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from auditd.alerting.alert import Alert, EndReason, fingerprint_of
from auditd.alerting.annotations import annotations_of
from auditd.alerting.exception import last_acceptance
from auditd.alerting.labels import labels_of
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.finding import Finding
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot

Key: TypeAlias = tuple[str, str]
"""Of a finding, and of its alert."""


@quick
@dataclass(frozen=True, slots=True)
class Sighting:
    """A finding that stands now and that nobody accepted, with what its alert is to say."""

    finding: Finding
    rule: CheckRule
    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@quick
@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands now, and why whatever else there was has ended."""

    snapshot: ProjectSnapshot
    rules: Rules
    sightings: Mapping[Key, Sighting]
    """By the key of the finding."""
    accepted: frozenset[Key]
    """The keys of findings, as last seen, that an exception covers now."""

    def end_of(self, alert: Alert) -> EndReason | None:
        """Why an open alert that was not sighted has ended; None when nothing says that it has."""
        check, authorization = alert.key
        sighting = self.sightings.get(alert.key)
        if not self.rules.is_enabled(check):
            return EndReason.CHECK_DISABLED
        if alert.key in self.accepted:
            return EndReason.ACCEPTED
        if sighting:
            is_graded_anew = alert.labels["severity"] != sighting.labels["severity"]
            return EndReason.SEVERITY_CHANGED if is_graded_anew else EndReason.LABELS_CHANGED
        if not self.snapshot.is_up:
            return None
        if authorization and authorization not in (self.snapshot.authorizations or {}):
            return EndReason.AUTHORIZATION_REMOVED
        return EndReason.CLEARED


def gather(
    snapshot: ProjectSnapshot, rules: Rules, now: datetime, *, besides: Collection[Key] = ()
) -> Evidence:
    """What the last poll of a project says of all findings but those with the keys `besides`.

    Of a failed one only blindness counts, because the other findings are those of an earlier
    poll; and only a list takes blindness back.
    """
    accepted, sightings = set(), {}
    for finding in snapshot.findings:
        if finding.key in besides:
            continue
        authorization = (snapshot.authorizations or {}).get(finding.authorization)
        acceptance = last_acceptance(rules.accepted, finding, snapshot.project, authorization)
        if acceptance and now < acceptance.until:
            accepted.add(finding.key)
        elif _counts(finding, snapshot, rules):
            labels = labels_of(finding, snapshot.project, authorization, rules.labels)
            sightings[finding.key] = Sighting(
                finding=finding,
                rule=rules.rule_of(finding.check),
                fingerprint=fingerprint_of(labels),
                labels=labels,
                annotations=annotations_of(finding, snapshot.project, rules, acceptance),
            )
    return Evidence(snapshot, rules, sightings, frozenset(accepted))


def _counts(finding: Finding, snapshot: ProjectSnapshot, rules: Rules) -> bool:
    is_current = snapshot.is_up or finding.check == BLIND_CHECK
    return is_current and rules.is_enabled(finding.check)
