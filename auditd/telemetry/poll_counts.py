"""Counts what happens to the projects, and to the sources that they come from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from auditd.audit.events import (
    DiscoveryAdded,
    DiscoveryFailed,
    Event,
    PollFailed,
    PollFinished,
    PollSkipped,
)
from auditd.audit.failure import FailureReason, SkipReason
from auditd.telemetry import families
from auditd.telemetry.series import Series, label_value


@dataclass(slots=True)
class _Counts:
    polls: int = 0
    failures: Counter[FailureReason] = field(default_factory=Counter)
    skipped: Counter[SkipReason] = field(default_factory=Counter)


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
                self._projects[event.project].polls += 1
                self._projects[event.project].failures[event.reason] += 1
            case PollSkipped():
                self._projects[event.project].skipped[event.reason] += event.slots
            case DiscoveryAdded():
                self.discovery_failures[event.source] += 0
            case DiscoveryFailed():
                self.discovery_failures[event.source] += 1
            case _:
                pass

    def forget_all_but(self, projects: Collection[str]) -> None:
        """So that a project that left the fleet, and comes back, begins anew."""
        for project in self._projects.keys() - projects:
            del self._projects[project]

    def series(self, project: str) -> Iterator[Series]:
        """The counters of one project, from the start with every reason there is."""
        counts = self._projects[project]
        labels = {"project": label_value(project)}
        yield families.POLLS, labels, counts.polls
        for reason in FailureReason:
            value = counts.failures[reason]
            yield families.POLL_FAILURES, {**labels, "reason": reason.value}, value
        for skip_reason in SkipReason:
            value = counts.skipped[skip_reason]
            yield families.POLLS_SKIPPED, {**labels, "reason": skip_reason.value}, value
