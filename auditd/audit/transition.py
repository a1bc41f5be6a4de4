"""What one poll makes of what was known: the next snapshot, and the events between the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from auditd.audit.authorization import Authorization, Listing, changed_fields
from auditd.audit.blind import BLIND_CHECK, blind_finding
from auditd.audit.events import (
    AuthorizationAdded,
    AuthorizationChanged,
    AuthorizationRemoved,
    Event,
    FindingCleared,
    FindingFlagged,
)
from auditd.audit.failure import PollError
from auditd.audit.finding import Finding
from auditd.audit.judgement import (
    is_settled,
    judge,
    relisted,
    shared,
    stale_instants,
)
from auditd.audit.policy import Observation
from auditd.audit.run import Policy, run_checks
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.audit.verify_due import is_renewed

_SHOWN_BY_A_LIST = frozenset({"drift", "duplicate"})
"""Checks that look at more of a list than a snapshot keeps."""


def succeeded(
    previous: ProjectSnapshot,
    listing: Listing,
    policy: Policy,
    *,
    at: datetime,
    verifications: Mapping[str, Verification],
) -> tuple[ProjectSnapshot, tuple[Event, ...]]:
    """A list came at `at`, and `verifications` were made of it.

    Former verifications stay for what is still listed and was not renewed. The order of the list
    is not felt, and the same list again at the same instant changes nothing (only what `drift`
    found is history by then, and clears).

    The very list that `previous` was made of costs nothing to judge while time changes nothing
    either; of another only what it changed is judged.
    """
    if is_settled(previous, listing, policy, at) and (
        verifications is previous.verifications or _has_all(previous, verifications)
    ):
        again = ProjectSnapshot(  # which replace() takes three times as long for
            project=previous.project,
            attempted_at=at,
            succeeded_at=at,
            authorizations=previous.authorizations,
            findings=previous.findings,
            stale_at=previous.stale_at,
            verifications=previous.verifications,
            judgement=previous.judgement,
        )
        return again, ()
    authorizations = relisted(previous, listing)
    verified = shared(previous.verifications, _verified(previous, authorizations, verifications))
    observation = Observation(
        project=previous.project,
        listed=listing.authorizations,
        authorizations=authorizations,
        previous=previous.authorizations,
        now=at,
        verifications=verified,
    )
    judged = judge(previous, listing, policy, observation)
    snapshot = ProjectSnapshot(
        project=previous.project,
        attempted_at=at,
        succeeded_at=at,
        authorizations=authorizations,
        findings=judged.findings,
        stale_at=judged.stale_at,
        verifications=verified,
        judgement=judged.judgement,
    )
    inventory = _inventory(previous, authorizations, judged.judgement.fresh)
    return snapshot, (*inventory, *_verdicts(previous, snapshot, at))


def failed(
    previous: ProjectSnapshot, error: PollError, policy: Policy, *, at: datetime
) -> tuple[ProjectSnapshot, tuple[Event, ...]]:
    """No list came. All that was seen stays as it was seen; the project may turn blind.

    The `blind_after`th failure in a row is the first at which it does.
    """
    failures_in_a_row = previous.failures_in_a_row + 1
    findings = [finding for finding in previous.findings if finding.check != BLIND_CHECK]
    if failures_in_a_row >= policy.blind_after:
        findings.append(blind_finding(previous.project.name, error.reason, previous.succeeded_at))
    snapshot = replace(
        previous,
        attempted_at=at,
        failure=error.reason,
        failure_message=str(error),
        failures_in_a_row=failures_in_a_row,
        findings=_findings(previous, findings),
    )
    return snapshot, tuple(_verdicts(previous, snapshot, at))


def rejudged(
    previous: ProjectSnapshot, policy: Policy, *, at: datetime
) -> tuple[ProjectSnapshot, tuple[Event, ...]]:
    """Another policy counts from `at` on: what the last polls would have found by it.

    Idempotent, and without effect when the policy is the same. What only a list shows (`drift`,
    `duplicate`) is not judged anew: its findings stay while the check is enabled, with the
    severity that it has now.
    """
    findings = (*_seen_anew(previous, policy), *_blindness(previous, policy))
    judged = replace(previous, findings=_findings(previous, findings), judgement=None)
    snapshot = recalled(judged, policy)
    return snapshot, tuple(_verdicts(previous, snapshot, at))


def recalled(snapshot: ProjectSnapshot, policy: Policy) -> ProjectSnapshot:
    """A snapshot of which nobody kept when its authorizations become stale."""
    if snapshot.authorizations is None:
        return snapshot
    return replace(snapshot, stale_at=stale_instants(policy, snapshot, snapshot.authorizations))


def departed(snapshot: ProjectSnapshot, at: datetime) -> tuple[Event, ...]:
    """The project left the fleet: nothing more will be said of its findings."""
    return tuple(_verdicts(snapshot, replace(snapshot, findings=()), at))


def _seen_anew(previous: ProjectSnapshot, policy: Policy) -> Iterator[Finding]:
    """What stands of the last list by a policy, blindness aside."""
    if previous.authorizations is None or previous.succeeded_at is None:
        return
    by_list = {check.name: check for check in policy.checks if check.name in _SHOWN_BY_A_LIST}
    for finding in previous.findings:
        if check := by_list.get(finding.check):
            yield replace(finding, severity=check.severity)
    others = tuple(check for check in policy.checks if check.name not in by_list)
    observation = Observation(
        project=previous.project,
        listed=tuple(previous.authorizations.values()),
        authorizations=previous.authorizations,
        previous=previous.authorizations,
        now=previous.succeeded_at,
        verifications=previous.verifications,
    )
    yield from run_checks(replace(policy, checks=others), observation)


def _has_all(previous: ProjectSnapshot, verifications: Mapping[str, Verification]) -> bool:
    return all(previous.verifications.get(name) == each for name, each in verifications.items())


def _blindness(previous: ProjectSnapshot, policy: Policy) -> Iterator[Finding]:
    if previous.failure and previous.failures_in_a_row >= policy.blind_after:
        yield blind_finding(previous.project.name, previous.failure, previous.succeeded_at)


def _findings(previous: ProjectSnapshot, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorted by key; the very ones of before if they are the same."""
    latest = tuple(sorted(findings, key=lambda finding: finding.key))
    return previous.findings if latest == previous.findings else latest


def _verified(
    previous: ProjectSnapshot,
    authorizations: Mapping[str, Authorization],
    verifications: Mapping[str, Verification],
) -> Mapping[str, Verification]:
    kept = {
        name: verification
        for name, verification in previous.verifications.items()
        if previous.project.verify
        and (before := (previous.authorizations or {}).get(name))
        and (after := authorizations.get(name))
        and not is_renewed(before, after)
    }
    for name, verification in verifications.items():
        former = kept.get(name)
        if former and verification.verdict is Verdict.INCONCLUSIVE:
            # Not evidence, so it takes nothing back; it only tells when we last tried.
            kept[name] = replace(former, at=verification.at)
        elif name in authorizations:
            kept[name] = verification
    return {name: kept[name] for name in sorted(kept)}


def _inventory(
    previous: ProjectSnapshot, authorizations: Mapping[str, Authorization], names: Iterable[str]
) -> Iterator[Event]:
    """What came, went and changed, by name; all that did is among `names`."""
    if previous.authorizations is None:
        return
    project = previous.project.name
    for name in sorted(names):
        before, after = previous.authorizations.get(name), authorizations.get(name)
        match before, after:
            case None, Authorization():
                yield AuthorizationAdded(project, after)
            case Authorization(), None:
                yield AuthorizationRemoved(project, before)
            case Authorization(), Authorization() if fields := changed_fields(before, after):
                yield AuthorizationChanged(project, before, after, fields)


def _verdicts(
    previous: ProjectSnapshot, snapshot: ProjectSnapshot, at: datetime
) -> Iterator[Event]:
    """What was flagged, then what was cleared, each by key."""
    if previous.findings is snapshot.findings:
        return
    project = snapshot.project.name
    before = {finding.key: finding for finding in previous.findings}
    after = {finding.key: finding for finding in snapshot.findings}
    lists = [one.authorizations or {} for one in (snapshot, previous)]

    def known(name: str) -> Authorization | None:
        return lists[0].get(name) or lists[1].get(name)

    for key, finding in after.items():
        if key not in before or before[key].severity is not finding.severity:
            yield FindingFlagged(project, finding, known(finding.authorization), at)
    for key, finding in before.items():
        if key not in after:
            yield FindingCleared(project, finding, known(finding.authorization), at)
