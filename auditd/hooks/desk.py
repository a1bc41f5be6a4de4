"""Turns what a poll found into alerts and into what hooks are owed, durably, in one step."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NoReturn

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.alert_events import AlertFired, AlertResolved, AlertSuppressed, EmitAlert
from auditd.alerting.foresight import next_turn
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition, advance, depart
from auditd.alerting.rules import Rules
from auditd.alerting.superseded import SupersededError
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.arrival import Arrival
from auditd.hooks.board import Board
from auditd.hooks.endurance import see_through
from auditd.hooks.ledger import PollLedger
from auditd.hooks.rest import Rest

AT_ONCE = 16
"""Polls that are written together; so many share the price of a commit."""

_log = logging.getLogger(__name__)


@quick
@dataclass(frozen=True, slots=True)
class _Step:
    """What a poll makes of the alerts of its project."""

    arrival: Arrival
    rules: Rules
    now: datetime
    alerts: tuple[Alert, ...]
    transitions: tuple[Transition, ...]
    groups: Mapping[str, Group]


class AlertDesk:
    """Keeps the board true to what polls find.

    Polls that come while others are written wait, and are then written together. Each begins with
    what the one before it made of a group; they are written and published in one order. When one
    cannot be written, a group that is written after it may have a member without an alert; the
    next flush drops it without a word.

    What cannot be written is not published either: the alerts stay as they were, and the next
    poll of the project brings them up to date. Polling itself never waits for a full disk.
    """

    def __init__(
        self,
        board: Board,
        ledger: PollLedger,
        rules: Rules,
        *,
        emit: EmitAlert,
        now: Callable[[], datetime],
    ) -> None:
        self._board = board
        self._ledger = ledger
        self._rules = rules
        self._emit = emit
        self._now = now
        self._departures: asyncio.Queue[str] = asyncio.Queue()
        self._arrivals: deque[Arrival] = deque()
        self._recorder: asyncio.Task[None] | None = None
        """Records all that wait, while any do: a task for each would take a third longer."""
        self._catch_up: Callable[[], Awaitable[None]] = _nothing
        self._resting: dict[str, Rest] = {}
        """By project."""

    def adopt(self, rules: Rules) -> None:
        """Go by these rules from now on. Alerts feel it when their project is recorded next."""
        self._rules = rules

    def share(self, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Other replicas change the same; `catch_up` makes known here what they wrote."""
        self._catch_up = catch_up

    async def catch_up(self) -> None:
        """Know what other replicas wrote. Nothing of a poll is being recorded meanwhile."""
        await self._catch_up()

    def note(self, snapshot: ProjectSnapshot) -> bool:
        """Whether a poll found what alerts are made of already; then only its times are kept."""
        name, now = snapshot.project.name, self._now()
        rest = self._resting.get(name)
        if rest is None or not rest.goes_on(snapshot, self._rules, now):
            return False
        sighted_at = rest.sighted_at
        if sighted_at == rest.since:
            self._board.sight(name, seen_at=rest.since, again_at=now)
            sighted_at = now
        self._ledger.record_times(snapshot, sighted_at)
        return True

    async def record(self, snapshot: ProjectSnapshot) -> None:
        """Bring the alerts of one project up to date.

        Raises:
            SupersededError: another replica changed what is known of the project. Nothing else is
                raised, but CancelledError.
        """
        if self.note(snapshot):
            return
        name = snapshot.project.name
        try:
            await self._arrive(Arrival(snapshot, self._resting.pop(name, None)))
        except SupersededError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the ledger raises; it is logged
            _log.warning("the alerts of project %s wait for the state: %s", name, error)

    def depart(self, project: str) -> None:
        """A project left the fleet: its alerts end."""
        self._departures.put_nowait(project)

    async def run(self) -> NoReturn:
        """End the alerts of projects that left, until cancelled."""
        while True:
            project = await self._departures.get()
            try:
                await see_through(self._depart(project), name=f"departure of {project}")
            except SupersededError:
                await self._catch_up()
                self.depart(project)
            except Exception as error:  # noqa: BLE001 - whatever the ledger raises; it is logged
                _log.warning("the end of project %s waits for the state: %s", project, error)
                asyncio.get_running_loop().call_later(5.0, self.depart, project)

    async def _arrive(self, arrival: Arrival) -> None:
        """Have it recorded, and wait for that."""
        self._arrivals.append(arrival)
        self._recorder = self._recorder or asyncio.create_task(self._record_all(), name="recorder")
        try:
            await arrival.wait()
        finally:
            if not arrival.is_taken:
                self._arrivals.remove(arrival)

    async def _record_all(self) -> None:
        """Record whoever waits, until nobody does."""
        try:
            while self._arrivals:
                async with self._board.lock:
                    await self._record_some()
        finally:
            self._recorder = None

    async def _record_some(self) -> None:
        """Under the board's lock: work out, write, publish, for those that came first."""
        taken: list[Arrival] = []
        try:
            await self._put_down(self._steps(taken))
        except Exception as error:  # noqa: BLE001 - whoever waits logs it
            for arrival in taken:
                arrival.error = error
        finally:
            for arrival in taken:
                arrival.end()

    async def _put_down(self, steps: Sequence[_Step]) -> None:
        writes = (
            self._ledger.record_poll(
                step.arrival.snapshot, step.alerts, step.transitions, step.groups.values()
            )
            for step in steps
        )
        errors = await asyncio.gather(*writes, return_exceptions=True)
        for step, error in zip(steps, errors, strict=True):
            step.arrival.error = error
            if error is None:
                self._publish(step)
        for step in steps:
            if step.arrival.error is None:
                self._tell(step.transitions, step.now)

    def _steps(self, taken: list[Arrival]) -> list[_Step]:
        """Of at most AT_ONCE polls, which are added to `taken`; of one project at most one."""
        now = self._now()
        drafts: dict[str, Group] = {}
        steps: dict[str, _Step] = {}
        for arrival in tuple(islice(self._arrivals, AT_ONCE)):
            name = arrival.snapshot.project.name
            if name in steps:
                break
            taken.append(self._arrivals.popleft())
            arrival.is_taken = True
            arrival.error = InterruptedError("the writing was broken off")
            try:
                steps[name] = self._step(arrival, now, drafts)
            except Exception as error:  # noqa: BLE001 - of this poll; whoever waits logs it
                arrival.error = error
            else:
                drafts.update(steps[name].groups)
        return list(steps.values())

    def _step(self, arrival: Arrival, now: datetime, drafts: Mapping[str, Group]) -> _Step:
        snapshot, rules, rest = arrival.snapshot, self._rules, arrival.rest
        known = self._board.alerts_of(snapshot.project.name)
        standing = rest.standing(snapshot, rules, now) if rest else ()
        alerts, transitions = advance(known, snapshot, rules, now, standing=standing)
        groups = self._board.admit(_firing(transitions), now, drafts=drafts)
        return _Step(arrival, rules, now, alerts, transitions, groups)

    def _publish(self, step: _Step) -> None:
        snapshot = step.arrival.snapshot
        name = snapshot.project.name
        self._board.publish(name, step.alerts, step.groups.values())
        sighted_at = max((alert.last_seen_at for alert in step.alerts), default=None)
        until = next_turn(step.alerts, step.rules, step.now)
        if snapshot.is_up:
            self._resting[name] = Rest(snapshot, step.rules, step.now, until, sighted_at)

    async def _depart(self, project: str) -> None:
        async with self._board.lock:
            while self._arrivals:  # among them may be polls of it
                await self._record_some()
            self._resting.pop(project, None)
            now = self._now()
            alerts, transitions = depart(self._board.alerts_of(project), now)
            await self._ledger.forget_project(project, alerts, transitions)
            self._board.publish(project, alerts, ())
        self._tell(transitions, now)

    def _tell(self, transitions: Iterable[Transition], now: datetime) -> None:
        for transition in transitions:
            if transition.alert.state is AlertState.FIRING:
                self._emit(AlertFired(transition.alert, transition.is_flap_start))
                for hook, suppression in self._board.suppressions(transition.alert, now):
                    self._emit(AlertSuppressed(transition.alert, hook, suppression))
            else:
                self._emit(AlertResolved(transition.alert))


async def _nothing() -> None:
    """Without other replicas everything is known."""


def _firing(transitions: Iterable[Transition]) -> list[Alert]:
    return [it.alert for it in transitions if it.alert.state is AlertState.FIRING]
