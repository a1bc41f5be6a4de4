"""What is wrong with a list, looking only at what it changed, and at all where time matters."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from auditd.audit.authorization import Authorization, Listing
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.finding import Finding
from auditd.audit.policy import Observation
from auditd.audit.project import Project
from auditd.audit.run import Policy, run_checks
from auditd.audit.snapshot import Judgement, ProjectSnapshot

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
    stale_at = stale_instants(policy, previous.project, seen.authorizations)
    until = _next_turn(policy, previous.project, seen)
    if former:
        of = {**previous.stale_at, **dict.fromkeys(names), **stale_at}
        stale_at = {name: at for name in observation.authorizations if (at := of.get(name))}
        until = min(until, former.until)
    return Judged(
        previous.findings if findings == previous.findings else findings,
        shared(previous.stale_at, stale_at),
        Judgement(listing, previous.project, policy, fresh, observation.now, until),
    )


def stale_instants(
    policy: Policy, project: Project, authorizations: Mapping[str, Authorization]
) -> Mapping[str, datetime]:
    """Authorization name -> when `stale` fires, or fired."""
    return {
        name: at
        for check in policy.checks
        if check.name == "stale"
        for name, authorization in authorizations.items()
        if (at := check.fires_at(project, authorization))
    }


def changed_names(before: Mapping[str, object], after: Mapping[str, object]) -> frozenset[str]:
    """Those that came, went, or stand for something else."""
    if before is after:
        return frozenset()
    if not before:
        return frozenset(after)
    return frozenset(before.keys() - after.keys()).union(
        name
        for name, value in after.items()
        if (known := before.get(name)) is not value and known != value
    )


def shared(before: Mapping[str, _V] | None, after: Mapping[str, _V]) -> Mapping[str, _V]:
    """`after`, with the objects of `before` where these are equal; `before` itself if all are."""
    if before is None:
        return after
    if before == after:
        return before
    return {
        name: known if (known := before.get(name)) is value or known == value else value
        for name, value in after.items()
    }


def _standing(previous: ProjectSnapshot, policy: Policy, at: datetime) -> Judgement | None:
    """What was judged before, while neither time nor settings have made it old."""
    former = previous.judgement
    if former is None or former.policy is not policy or former.project is not previous.project:
        return None
    return former if former.since <= at < former.until or at == former.since else None


def _is_distinct(listing: Listing, names: Collection[str]) -> bool:
    return len(names) == len(listing.authorizations)


def _fresh(previous: ProjectSnapshot, observation: Observation) -> frozenset[str]:
    listed = changed_names(previous.authorizations or {}, observation.authorizations)
    return listed | changed_names(previous.verifications, observation.verifications)


def _part_of(observation: Observation, names: Collection[str]) -> Observation:
    return replace(
        observation,
        listed=tuple(each for each in observation.listed if each.name in names),
        authorizations=_in_order(names, observation.authorizations),
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
        for authorization in seen.authorizations.values():
            for turn in check.turns(project, authorization):
                if now <= turn < nearest:
                    nearest = turn
    return nearest
