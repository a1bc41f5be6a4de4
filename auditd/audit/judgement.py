"""What is wrong with a list, looking only at what it changed, and at all where time matters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import compress
from operator import is_not
from typing import TypeVar

from auditd.audit.authorization import Authorization, Listing
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.finding import Finding
from auditd.audit.policy import Observation
from auditd.audit.project import Project
from auditd.audit.rule import Rule
from auditd.audit.run import Policy, distinct, run_checks
from auditd.audit.snapshot import Judgement, ProjectSnapshot
from auditd.audit.stale_instants import StaleInstants

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found, when `stale` fires or fired, and what both rest on."""

    findings: tuple[Finding, ...]
    stale_at: Mapping[str, datetime]
    judgement: Judgement


def is_settled(previous: ProjectSnapshot, listing: Listing, policy: Policy, at: datetime) -> bool:
    """Whether to judge this list anew would find what was found before."""
    former = _standing(previous, policy, at)
    return (
        former is not None
        and former.listing is listing
        and not former.fresh
        and previous.failure is None
    )


def judge(
    previous: ProjectSnapshot, listing: Listing, policy: Policy, observation: Observation
) -> Judged:
    """Run the checks on what changed since `previous`, or on all where that is not enough."""
    former = _standing(previous, policy, observation.now)
    if former and not (
        _is_distinct(former.listing, previous.authorizations or {})
        and _is_distinct(listing, observation.authorizations)
    ):
        former = None  # that a name is listed once more is not seen in what is distinct
    fresh = _fresh(previous, observation)
    names = dict.fromkeys(sorted(fresh | former.fresh) if former else ())
    seen = _part_of(observation, names) if former else observation
    kept = _kept(previous.findings, names) if former else []
    findings = tuple(sorted((*kept, *run_checks(policy, seen)), key=lambda found: found.key))
    until = _next_turn(policy, previous.project, seen)
    if former:
        until = min(until, former.until)
    return Judged(
        previous.findings if findings == previous.findings else findings,
        stale_instants(policy, previous, observation.authorizations),
        Judgement(listing, previous.project, policy, fresh, observation.now, until),
    )


def stale_instants(
    policy: Policy, previous: ProjectSnapshot, authorizations: Mapping[str, Authorization]
) -> Mapping[str, datetime]:
    """Authorization name -> when `stale` fires, or fired; those of `previous` if they are."""
    check = next((check for check in policy.checks if check.name == "stale"), None)
    known = previous.stale_at
    if check is None:
        return {} if known else known
    if isinstance(known, StaleInstants) and known.is_of(check, previous.project, authorizations):
        return known
    return StaleInstants(check, previous.project, authorizations)


def relisted(previous: ProjectSnapshot, listing: Listing) -> Mapping[str, Authorization]:
    """What is distinct on a list; the objects of before where these are equal."""
    known, former = previous.authorizations, previous.judgement
    if known and former and _is_distinct(former.listing, known) and _is_distinct(listing, known):
        places = former.listing.authorizations, listing.authorizations
        others = [*compress(zip(*places, strict=True), map(is_not, *places))]
        if all(before.name == after.name for before, after in others):
            changed = {after.name: after for _, after in others if known[after.name] != after}
            return {**known, **changed} if changed else known
    return shared(known, distinct(listing.authorizations))


def changed_names(before: Mapping[str, object], after: Mapping[str, object]) -> AbstractSet[str]:
    """Those that came, went, or stand for something else."""
    if before is after:
        return frozenset()
    if not before:
        return after.keys()
    others = compress(after, map(is_not, map(before.get, after), after.values()))
    changed = {name for name in others if before.get(name) != after[name]}
    came = sum(name not in before for name in changed)
    if len(before) + came > len(after):  # something went
        changed |= before.keys() - after.keys()
    return changed or frozenset()  # the one of which there is no other, where nothing changed


def shared(before: Mapping[str, _V] | None, after: Mapping[str, _V]) -> Mapping[str, _V]:
    """`after`, with the objects of `before` where these are equal; `before` itself if all are."""
    if before is None:
        return after
    if before == after:
        return before
    equal = {
        name: known
        for name, value in after.items()
        if (known := before.get(name)) is not value and known == value
    }
    return {**after, **equal} if equal else after


def _standing(previous: ProjectSnapshot, policy: Policy, at: datetime) -> Judgement | None:
    """What was judged before, while neither time nor settings have made it old."""
    former = previous.judgement
    if former is None or former.policy is not policy or former.project is not previous.project:
        return None
    return former if former.since <= at < former.until or at == former.since else None


def _is_distinct(listing: Listing, names: Collection[str]) -> bool:
    return len(names) == len(listing.authorizations)


def _fresh(previous: ProjectSnapshot, observation: Observation) -> AbstractSet[str]:
    listed = changed_names(previous.authorizations or {}, observation.authorizations)
    verified = changed_names(previous.verifications, observation.verifications)
    return listed | verified if verified else listed


def _part_of(observation: Observation, names: Collection[str]) -> Observation:
    """Of a list that has each name once."""
    authorizations = _in_order(names, observation.authorizations)
    return replace(
        observation,
        listed=tuple(authorizations.values()),
        authorizations=authorizations,
        previous=_in_order(names, observation.previous or {}),
        verifications=_in_order(names, observation.verifications),
    )


def _in_order(names: Iterable[str], values: Mapping[str, _V]) -> Mapping[str, _V]:
    return {name: values[name] for name in names if name in values}


def _kept(findings: Iterable[Finding], names: Collection[str]) -> list[Finding]:
    return [
        finding
        for finding in findings
        if finding.authorization not in names and finding.check != BLIND_CHECK
    ]


def _next_turn(policy: Policy, project: Project, seen: Observation) -> datetime:
    """The first instant from now on at or just after which time may change what is found."""
    now, nearest = seen.now, _END_OF_TIME
    for check in policy.checks:
        if isinstance(check, Rule) and check.is_timeless:
            continue
        for authorization in seen.authorizations.values():
            for turn in check.turns(project, authorization):
                if now <= turn < nearest:
                    nearest = turn
    return nearest
