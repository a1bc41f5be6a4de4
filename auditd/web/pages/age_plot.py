"""The age of an authorization over time against the ages at which it is stale, as geometry.

Each renewal takes the age back to nothing, so the line is a saw whose teeth should stay below
the limits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from auditd.audit.authorization import known_time
from auditd.audit.history import HistoryEntry
from auditd.web.pages.age_limits import AgeLimit

WIDTH, HEIGHT = 640, 160
"""Of the area that is drawn in, in the SVG's own units."""
_DAY = timedelta(days=1)
_HEADROOM = 1.15
_AHEAD = 0.3
"""How far beyond now is looked, as a part of what lies behind."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place on an axis."""

    at: float
    days: int


@dataclass(frozen=True, slots=True)
class PlottedLimit:
    """A limit, and where it is drawn."""

    limit: AgeLimit
    y: float
    reached_x: float | None
    """Where it is reached in the time that is shown."""


@dataclass(frozen=True, slots=True)
class AgePlot:
    """All coordinates lie in WIDTH x HEIGHT; y grows downwards."""

    line: str
    """The points of what was, for `polyline`."""
    ahead: str
    """The points of what will be without a renewal; maybe empty."""
    now_x: float
    now_y: float
    limits: Sequence[PlottedLimit]
    """In the order in which they are reached."""
    ages: Sequence[Tick]
    """Along y."""
    times: Sequence[Tick]
    """Along x: days before now."""
    age: timedelta
    renewals: int
    """How many are seen."""


def plot_age(
    history: Iterable[HistoryEntry],
    updated_at: datetime,
    limits: Collection[AgeLimit],
    now: datetime,
) -> AgePlot | None:
    """The plot; None when the update lies in the future, so that there is no age.

    Args:
        history: of this authorization, in any order; what is older than a year is left out.
        updated_at: as listed now.
        limits: those that the age is held against.
        now: where the line ends.
    """
    if updated_at >= now:
        return None
    corners = _corners(history, updated_at, now)
    start = corners[0][0]
    end = now + max((now - start) * _AHEAD, _DAY)
    ages = [age for _, age in corners] + [limit.age for limit in limits]
    highest = max(*ages, end - updated_at)
    top = max(highest * _HEADROOM, _DAY)

    def x(at: datetime) -> float:
        return round((at - start) / (end - start) * WIDTH, 1)

    def y(age: timedelta) -> float:
        return round(HEIGHT - age / top * HEIGHT, 1)

    def plotted(limit: AgeLimit) -> PlottedLimit:
        is_seen = start - updated_at < limit.age < end - updated_at
        return PlottedLimit(limit, y(limit.age), x(updated_at + limit.age) if is_seen else None)

    return AgePlot(
        line=_points((x(at), y(age)) for at, age in corners),
        ahead=_points([(x(now), y(now - updated_at)), (float(WIDTH), y(end - updated_at))]),
        now_x=x(now),
        now_y=y(now - updated_at),
        limits=[plotted(limit) for limit in sorted(limits, key=lambda limit: limit.age)],
        ages=[Tick(y(days * _DAY), days) for days in _round_steps(top // _DAY)],
        times=[Tick(x(now - days * _DAY), days) for days in _round_steps((now - start) // _DAY)],
        age=now - updated_at,
        renewals=sum(1 for (_, one), (_, two) in pairwise(corners) if two < one),
    )


def _corners(
    history: Iterable[HistoryEntry], updated_at: datetime, now: datetime
) -> list[tuple[datetime, timedelta]]:
    """Instants and ages between which the age grows evenly, or drops at once."""
    renewals = {updated_at} | {
        at
        for entry in history
        if entry.listed
        and (at := known_time(entry.listed.updated_at))
        and now - 365 * _DAY <= at < updated_at
    }
    ordered = sorted(renewals)
    corners = [(ordered[0], timedelta(0))]
    for former, renewal in pairwise(ordered):
        corners += [(renewal, renewal - former), (renewal, timedelta(0))]
    return [*corners, (now, now - ordered[-1])]


def _round_steps(days: int) -> Sequence[int]:
    """At most five numbers of days from 0 on, a round distance apart."""
    step = next(step for step in _STEPS if days <= 4 * step)
    return range(0, days + 1, step)


_STEPS = (1, 7, 30, 90, 180, 365, 1000, 10_000, 100_000, 1_000_000)


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
