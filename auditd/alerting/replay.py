"""The lives that alerts would have had by other terms, from the recorded past of a project."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.exception import last_acceptance
from auditd.alerting.life import Transition, advance, depart
from auditd.alerting.rules import Rules
from auditd.audit.authorization import Listing
from auditd.audit.project import Project
from auditd.audit.replay import RecordedPoll, judged
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot

LATENESS = timedelta(seconds=5)
"""How long, beside its poll_timeout, the poll of a slot may take until it is judged."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts as wrong, what becomes of it, and when is looked."""

    policy: Policy
    rules: Rules
    next_slot: Callable[[Project, datetime, datetime], datetime]
    """The first slot of a project after a poll at the one instant and not before the other."""


def replay(
    project: Project, polls: Iterable[RecordedPoll], terms: Terms, until: datetime
) -> Iterator[Transition]:
    """What would have fired and ended by these terms, oldest first, up to `until`.

    Polls that changed nothing are not on record, so they are taken to have been made at their
    slots; only those at which something can change are judged. One that would have been made
    just before a recorded one is that.
    """
    life = _Life(project, terms)
    tolerance = project.poll_timeout + LATENESS
    for poll in polls:
        if poll.at > until:
            break
        yield from life.meanwhile(poll.at - tolerance)
        yield from life.go_on(max(poll.at, life.at or poll.at), poll)
    yield from life.meanwhile(until)


class _Life:
    """A project and its alerts, from poll to poll."""

    def __init__(self, project: Project, terms: Terms) -> None:
        self.at: datetime | None = None
        """Of the last poll."""
        self._project = project
        self._terms = terms
        self._snapshot = ProjectSnapshot(project)
        self._alerts: tuple[Alert, ...] = ()
        self._poll: RecordedPoll | None = None
        self._is_comparing = False
        """Whether something may have been found only because the list before was another."""
        self._turns: list[datetime] = []
        """When time alone can change what is found, ascending."""

    def meanwhile(self, before: datetime) -> Iterator[Transition]:
        """The polls before that instant that saw the same as the last recorded one."""
        while self._poll and (at := self._next()) and at < before:
            yield from self.go_on(at, self._poll)

    def go_on(self, at: datetime, poll: RecordedPoll) -> tuple[Transition, ...]:
        """What a poll changes; `at` is not before the last one."""
        known = self._poll.listing if self._poll else None
        self.at, self._poll = at, poll
        if poll.is_departure:
            self._snapshot, self._turns = ProjectSnapshot(self._project), []
            self._is_new_list = False
            self._alerts, transitions = depart(self._alerts, at)
            return transitions
        found = set(self._snapshot.findings)
        self._snapshot = judged(self._snapshot, poll, self._terms.policy, at)
        self._is_comparing = known is not poll.listing and not found.issuperset(
            self._snapshot.findings
        )
        if known is not poll.listing:
            self._turns = sorted(self._all_turns(poll.listing))
        self._alerts, transitions = advance(self._alerts, self._snapshot, self._terms.rules, at)
        return transitions

    def _next(self) -> datetime | None:
        """The next slot at which something can change by itself; None when nothing can."""
        if self.at is None or not (dues := [*self._dues(self.at)]):
            return None
        return self._terms.next_slot(self._project, self.at, min(dues))

    def _dues(self, at: datetime) -> Iterator[datetime]:
        yield from (due for due in self._ends_of_acceptance() if due >= at)
        if self._snapshot.failure:
            if self._snapshot.failures_in_a_row < self._terms.policy.blind_after:
                yield at
            return
        if self._is_comparing:
            yield at
        if (index := bisect_left(self._turns, at)) < len(self._turns):
            yield self._turns[index]
        for alert in self._alerts:
            if (due := self._due(alert)) and due >= at:
                yield due

    def _all_turns(self, listing: Listing) -> Iterator[datetime]:
        for check in self._terms.policy.checks:
            for authorization in listing.authorizations:
                yield from check.turns(self._project, authorization)

    def _ends_of_acceptance(self) -> Iterator[datetime]:
        accepted = self._terms.rules.accepted
        listed = self._snapshot.authorizations or {}
        for finding in self._snapshot.findings if accepted else ():
            authorization = listed.get(finding.authorization)
            if last := last_acceptance(accepted, finding, self._project, authorization):
                yield last.until

    def _due(self, alert: Alert) -> datetime | None:
        """When time alone takes an alert further; None when it does not."""
        rules, (check, _) = self._terms.rules, alert.key
        if alert.state is AlertState.PENDING:
            return alert.active_at + rules.rule_of(check).for_
        if alert.state is AlertState.RESOLVED:
            return None
        kept = rules.rule_of(check).keep_firing_for
        if alert.is_flapping:
            kept = max(kept, rules.flap_window)
        if alert.missing_since:
            return alert.missing_since + kept
        return max(alert.recent_firings) + rules.flap_window if alert.is_flapping else None
