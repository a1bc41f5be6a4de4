"""Which projects are due at an instant of the wall clock."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import count

from auditd.audit.project import Project
from auditd.audit.quick import quick

SHORTEST_PAUSE = timedelta(milliseconds=500)
"""What comes due within it is taken together; a wake-up costs as much as a poll."""
_LONGEST_PAUSE_SECONDS = 1.0
_PAUSES_AN_INTERVAL = 30
"""Where longer pauses would be felt, for so much of an interval a poll may be late."""
_MOST_AT_ONCE = 100
"""Polls that come due in a longer pause than the shortest; more would hold up the event loop."""


@quick
@dataclass(frozen=True, slots=True)
class Slot:
    """The scheduled instant of a poll.

    `missed` earlier slots of the project have passed since it was last due: they are not made
    up for one by one, this slot stands for them.
    """

    project: Project
    at: datetime
    missed: int = 0


def phase(name: str, interval: timedelta) -> timedelta:
    """Where in its interval a project is polled: the same on every machine and at every start.

    Shape: 0 <= phase < interval, evenly spread over names.
    """
    fraction = int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64
    return interval * fraction


class Agenda:
    """Every project's next slot, soonest first.

    Slots lie on a grid that is fixed in wall time (`epoch + phase + n * interval`), so neither a
    restart nor a late poll moves them. A project that joins is due at once, then on its
    grid, the first time after half an interval at least.

    Args:
        is_shared: replicas go by the same grid, and each slot is polled by one of them. Then a
            project that joins is due at its last grid point, which others may have polled.
    """

    def __init__(self, *, is_shared: bool = False) -> None:
        self._is_shared = is_shared
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[float, int, _Entry]] = []
        self._order = count()
        self._pause = SHORTEST_PAUSE

    def replace(self, projects: Iterable[Project], now: datetime) -> None:
        """Make these the projects. One whose interval did not change keeps its next slot."""
        wanted = {project.name: project for project in projects}
        for name in self._entries.keys() - wanted.keys():
            self._entries.pop(name).is_dropped = True
        for name, project in wanted.items():
            entry = self._entries.get(name)
            if entry and entry.project.poll_interval == project.poll_interval:
                entry.project = project
                continue
            if entry:
                entry.is_dropped = True
            self._entries[name] = entry = _Entry(project)
            self._push(entry, self._first(entry, now.timestamp()))
        self._pause = _pause([entry.interval_seconds for entry in self._entries.values()])

    def due(self, now: datetime) -> list[Slot]:
        """Take the slots that have come, at most one a project."""
        instant = now.timestamp()
        slots = []
        while self._heap and self._heap[0][0] <= instant:
            due_at, _, entry = heapq.heappop(self._heap)
            if entry.is_dropped:
                continue
            latest = entry.latest_grid_point(instant)
            missed = round((latest - due_at) / entry.interval_seconds) if entry.is_on_grid else 0
            at = latest if entry.is_on_grid else due_at
            slots.append(Slot(entry.project, datetime.fromtimestamp(at, UTC), missed))
            self._push(entry, entry.after(latest, instant))
            entry.is_on_grid = True
        return slots

    def next_due(self) -> datetime | None:
        """When the next slot comes; None without projects."""
        while self._heap and self._heap[0][2].is_dropped:
            heapq.heappop(self._heap)
        return datetime.fromtimestamp(self._heap[0][0], UTC) if self._heap else None

    def pause(self) -> timedelta:
        """How long to let polls come due before they are taken: half a second to a second."""
        return self._pause

    def realign(self, now: datetime) -> None:
        """Give every project its next grid point after `now`: the clock was stepped back."""
        instant = now.timestamp()
        self._heap.clear()
        for entry in self._entries.values():
            entry.is_on_grid = True
            self._push(entry, entry.latest_grid_point(instant) + entry.interval_seconds)

    def next_slots(self) -> Mapping[str, datetime]:
        """Project name -> its next slot, as it is whenever that is looked up."""
        return _NextSlots(self._entries)

    def _first(self, entry: _Entry, instant: float) -> float:
        if not self._is_shared:
            return instant
        entry.is_on_grid = True
        return entry.latest_grid_point(instant)

    def _push(self, entry: _Entry, at: float) -> None:
        entry.due_at = at
        heapq.heappush(self._heap, (at, next(self._order), entry))


class _Entry:
    """A project on the heap.

    A dropped one is passed over when its slot comes; the first slot of a new one is off the grid.
    """

    __slots__ = (
        "due_at",
        "interval_seconds",
        "is_dropped",
        "is_on_grid",
        "phase_seconds",
        "project",
    )

    def __init__(self, project: Project) -> None:
        self.project = project
        self.due_at = 0.0
        self.interval_seconds = project.poll_interval.total_seconds()
        self.phase_seconds = phase(project.name, project.poll_interval).total_seconds()
        self.is_dropped = False
        self.is_on_grid = False

    def after(self, latest: float, instant: float) -> float:
        """The slot after one that was taken at `instant`, when `latest` was the last grid point.

        A first slot is off the grid; a grid point within half an interval of it is let go.
        """
        following = latest + self.interval_seconds
        if not self.is_on_grid and following - instant < self.interval_seconds / 2:
            return following + self.interval_seconds
        return following

    def latest_grid_point(self, instant: float) -> float:
        """The last grid point at or before `instant`, in epoch seconds."""
        turns = math.floor((instant - self.phase_seconds) / self.interval_seconds)
        return self.phase_seconds + turns * self.interval_seconds


def _pause(intervals_seconds: Sequence[float]) -> timedelta:
    if not intervals_seconds:
        return SHORTEST_PAUSE
    polls_per_second = sum(1 / seconds for seconds in intervals_seconds)
    seconds = min(
        _LONGEST_PAUSE_SECONDS,
        min(intervals_seconds) / _PAUSES_AN_INTERVAL,
        _MOST_AT_ONCE / polls_per_second,
    )
    return max(SHORTEST_PAUSE, timedelta(seconds=seconds))


class _NextSlots(Mapping[str, datetime]):
    """Looks up only what is asked for: there are many, and most who ask want a few."""

    def __init__(self, entries: Mapping[str, _Entry]) -> None:
        self._entries = entries

    def __getitem__(self, name: str) -> datetime:
        return datetime.fromtimestamp(self._entries[name].due_at, UTC)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
