"""Whether every project is still polled: what the scheduler cannot say of itself when it hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from auditd.audit.events import DiscoveryRemoved, Event, PollFailed, PollFinished
from auditd.audit.project import Project

LONGEST_LAG_SECONDS = 5.0
"""A loop that is later than this polls, tells and answers too late to be relied on."""
_LOOKED_THROUGH_SECONDS = 10.0
"""How long projects of which none was overdue are taken to have the intervals that they had."""
_NAMED = 3
"""So many projects are named in a sentence."""


class Freshness:
    """Notes when each project was last tried, successfully or not, by a clock that nobody sets.

    It is an Emit, to be told of every event. A project that was not tried once is not its
    affair: the scheduler is incomplete until then.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._tried_at: dict[str, float] = {}
        self._none_before = 0.0
        """By that clock: until then no project can be overdue."""
        self._lag_seconds = 0.0

    def __call__(self, event: Event) -> None:
        """Note it if it is a poll that ended, or the end of a project."""
        match event:
            case PollFinished(project=project) | PollFailed(project=project):
                self._tried_at[project] = self._monotonic()
            case DiscoveryRemoved(project=project):
                self._tried_at.pop(project, None)
            case _:
                pass

    def polled_elsewhere(self, project: str) -> None:
        """Another replica has tried a project."""
        self._tried_at[project] = self._monotonic()

    def loop_lag(self, seconds: float) -> None:
        """The event loop was so late just now."""
        self._lag_seconds = seconds

    def troubles(self, projects: Iterable[Project]) -> Sequence[str]:
        """What is wrong now with the polling of these projects, in sentences; empty if nothing."""
        troubles = []
        if overdue := self._overdue(projects):
            rest = len(overdue) - _NAMED
            named = ", ".join(overdue[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
            troubles.append(f"not polled any more, for more than two intervals: {named}")
        if self._lag_seconds > LONGEST_LAG_SECONDS:
            troubles.append(f"the event loop is {self._lag_seconds:.0f} s late")
        return troubles

    def _overdue(self, projects: Iterable[Project]) -> Sequence[str]:
        """Looks at each only when one may be: of ten thousand that takes the event loop 6 ms."""
        now = self._monotonic()
        if now < self._none_before:
            return ()
        overdue = []
        soonest = now + _LOOKED_THROUGH_SECONDS
        for project in projects:
            until = self._tried_at.get(project.name, now) + longest_gap_seconds(project)
            soonest = min(soonest, until)
            if now > until:
                overdue.append(project.name)
        self._none_before = soonest
        return overdue


def longest_gap_seconds(project: Project) -> float:
    """The longest time between the ends of two polls while the scheduler works.

    A poll may wait for its turn for a whole interval, and list and verify for a timeout each;
    then its next slot has passed, and it is polled at the one after that.
    """
    return 2 * (project.poll_interval + project.poll_timeout).total_seconds()
