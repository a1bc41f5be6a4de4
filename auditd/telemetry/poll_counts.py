"""Counts what happens to the projects, and to the sources that they come from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from auditd.audit.events import (
    DiscoveryAdded,
    DiscoveryFailed,
    Event,
    PollFailed,
    PollFinished,
    PollSkipped,
)
from auditd.audit.failure import FailureReason, SkipReason
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry import families
from auditd.telemetry.column import Column, line
from auditd.telemetry.family import Family


@dataclass(slots=True)
class _Counts:
    """The mappings are replaced, never changed, so that who kept one sees that it is old."""

    polls: int = 0
    failures: Mapping[str, int] = field(default_factory=lambda: _NO_FAILURES)
    skipped: Mapping[str, int] = field(default_factory=lambda: _NONE_SKIPPED)


_NO_FAILURES: Mapping[str, int] = dict.fromkeys(FailureReason, 0)
_NONE_SKIPPED: Mapping[str, int] = dict.fromkeys(SkipReason, 0)


class PollCounts:
    """What was counted since the process started, or since the project joined the fleet."""

    def __init__(self) -> None:
        self._projects: defaultdict[str, _Counts] = defaultdict(_Counts)
        self.discovery_failures: Counter[str] = Counter()
        """By source; 0 for one that gave a project and never failed."""

    def count(self, event: Event) -> None:
        """Count the event if it is of the kinds that are counted."""
        match event:
            case PollFinished():
                self._projects[event.project].polls += 1
            case PollFailed():
                counts = self._projects[event.project]
                counts.polls += 1
                counts.failures = _more(counts.failures, event.reason, 1)
            case PollSkipped():
                counts = self._projects[event.project]
                counts.skipped = _more(counts.skipped, event.reason, event.slots)
            case DiscoveryAdded():
                self.discovery_failures[event.source] += 0
            case DiscoveryFailed():
                self.discovery_failures[event.source] += 1
            case _:
                pass

    def forget_all_but(self, snapshots: Collection[ProjectSnapshot]) -> None:
        """So that a project that left the fleet, and comes back, begins anew.

        The counters of these were shown, so each has some: with more than that some are of others.
        """
        if len(self._projects) > len(snapshots):
            for project in self._projects.keys() - {one.project.name for one in snapshots}:
                del self._projects[project]

    def forget_sources_but(self, sources: Collection[str]) -> None:
        """So that the series of a source end with it."""
        for source in self.discovery_failures.keys() - set(sources):
            del self.discovery_failures[source]

    def columns(self) -> list[Column]:
        """The counters of each project, from the start with every reason there is."""
        of = self._projects
        return [
            Column(
                families.POLLS,
                lambda run: ([of[one.project.name].polls for one in run],),
                lambda project, polls: line(families.POLLS, project, polls),
            ),
            Column(
                families.POLL_FAILURES,
                lambda run: ([of[one.project.name].failures for one in run],),
                lambda project, counts: _by_reason(families.POLL_FAILURES, project, counts),
            ),
            Column(
                families.POLLS_SKIPPED,
                lambda run: ([of[one.project.name].skipped for one in run],),
                lambda project, counts: _by_reason(families.POLLS_SKIPPED, project, counts),
            ),
        ]


def _more(counts: Mapping[str, int], reason: StrEnum, count: int) -> Mapping[str, int]:
    return {**counts, reason: counts[reason] + count}


def _by_reason(family: Family, project: str, counts: Mapping[str, int]) -> str:
    return "".join(
        line(family, f'{project},reason="{reason}"', count) for reason, count in counts.items()
    )
