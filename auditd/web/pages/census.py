"""What is to be said of the whole fleet, counted anew only where something changed.

A fleet can have a million authorizations. A snapshot never changes, so each is counted once; and
the counting lets others have the event loop in between.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from operator import attrgetter

from auditd.audit.authorization import Authorization, Status, known_time
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.fleet_office import FleetOffice
from auditd.web.pages.condition import Condition, condition_of

OLDEST_SHOWN = 10
_SLICE = 2000
"""Authorizations that are counted before others have their turn; about a millisecond."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One snapshot, counted."""

    snapshot: ProjectSnapshot
    condition: Condition
    statuses: Mapping[Status, int]
    severities: Mapping[Severity, int]
    oldest: datetime | None
    """When the authorization was renewed that was not renewed for the longest time."""
    rank: tuple[int, int, str]
    """The worse, the smaller."""

    @property
    def name(self) -> str:
        """Of the project."""
        return self.snapshot.project.name

    @property
    def authorizations(self) -> int:
        """How many are listed."""
        return sum(self.statuses.values())


def digest(snapshot: ProjectSnapshot) -> Digest:
    """Count one snapshot."""
    listed = (snapshot.authorizations or {}).values()
    renewed = [at for authorization in listed if (at := known_time(authorization.updated_at))]
    severities = Counter(finding.severity for finding in snapshot.findings)
    condition = condition_of(snapshot)
    worst = max((severity.rank for severity in severities), default=-1)
    return Digest(
        snapshot=snapshot,
        condition=condition,
        statuses=Counter(authorization.status for authorization in listed),
        severities=severities,
        oldest=min(renewed, default=None),
        rank=(condition.rank, -worst, snapshot.project.name),
    )


@dataclass(frozen=True, slots=True)
class Glance:
    """The fleet as of one moment."""

    digests: Sequence[Digest]
    """Of all projects, what is worst first."""
    conditions: Mapping[Condition, int]
    statuses: Mapping[Status, int]
    oldest: Sequence[tuple[str, Authorization]]
    """The authorizations that were not renewed for the longest time, with their projects."""
    listed_since: datetime | None
    """Every project that is not blind was listed at this instant or later; None when one never
    was, or all are blind."""
    next_late: tuple[datetime, datetime] | None
    """When the first of these lists is older than two polls should let it be, and that list."""

    def of(self, condition: Condition) -> Sequence[Digest]:
        """The projects that stand so."""
        return [found for found in self.digests if found.condition is condition]


class Census:
    """Keeps the digests. Callers that come while one counts share the next count."""

    def __init__(self, fleet: FleetOffice) -> None:
        self._fleet = fleet
        self._digests: dict[str, Digest] = {}
        self._lock = asyncio.Lock()
        self._counts = 0
        self._glance = _NO_FLEET

    async def take(self) -> Glance:
        """The fleet as it is; nothing in it is older than this call."""
        counts = self._counts
        async with self._lock:
            if self._counts == counts:
                self._counts += 1
                await self._count()
            return self._glance

    async def _count(self) -> None:
        known, digests, counted, is_news = self._digests, {}, 0, False
        for snapshot in list(self._fleet.snapshots()):
            name = snapshot.project.name
            former = known.get(name)
            if former is None or former.snapshot is not snapshot:
                former = digest(snapshot)
                is_news = True
                counted += 1 + former.authorizations
                if counted >= _SLICE:
                    counted = 0
                    await asyncio.sleep(0)
            digests[name] = former
        if is_news or len(digests) != len(known):
            self._digests = digests
            self._glance = await _summed(digests.values())


_NO_FLEET = Glance(
    digests=(),
    conditions=Counter(),
    statuses=Counter(),
    oldest=(),
    listed_since=None,
    next_late=None,
)


async def _summed(digests: Iterable[Digest]) -> Glance:
    in_order = sorted(digests, key=attrgetter("rank"))
    await asyncio.sleep(0)
    statuses: Counter[Status] = Counter()
    for found in in_order:
        statuses.update(found.statuses)
    await asyncio.sleep(0)
    oldest = _oldest(in_order)
    await asyncio.sleep(0)
    lists = [
        (at + 2 * found.snapshot.project.poll_interval, at) if at else None
        for found in in_order
        if found.condition is not Condition.BLIND
        for at in [found.snapshot.succeeded_at]
    ]
    seen = [pair for pair in lists if pair]
    return Glance(
        digests=in_order,
        conditions=Counter(found.condition for found in in_order),
        statuses=statuses,
        oldest=oldest,
        listed_since=min(at for _, at in seen) if seen and len(seen) == len(lists) else None,
        next_late=min(seen, default=None),
    )


def _oldest(digests: Iterable[Digest]) -> Sequence[tuple[str, Authorization]]:
    """They can only lie in as many projects as are wanted: those with the oldest of all."""
    dated = [(found.oldest, found.name, found) for found in digests if found.oldest]
    candidates = [
        (at, found.name, authorization.name, authorization)
        for _, _, found in nsmallest(OLDEST_SHOWN, dated)
        for authorization in (found.snapshot.authorizations or {}).values()
        if (at := known_time(authorization.updated_at))
    ]
    return [(project, listed) for _, project, _, listed in nsmallest(OLDEST_SHOWN, candidates)]
