"""Turns what a poll found into alerts and into what hooks are owed, durably, in one step."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NoReturn, Protocol, TypeAlias

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.alert_events import AlertFired, AlertResolved, AlertSuppressed, EmitAlert
from auditd.alerting.foresight import next_turn
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition, advance, depart
from auditd.alerting.rules import Rules
from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.board import Board
from auditd.hooks.endurance import see_through

_log = logging.getLogger(__name__)

_Step: TypeAlias = tuple[tuple[Alert, ...], tuple[Transition, ...]]
_Plan: TypeAlias = tuple[tuple[Alert, ...], tuple[Transition, ...], frozenset[str], datetime]
"""Alerts, transitions, the keys of the groups that they touch, and the instant of all that."""


class PollLedger(Protocol):
    """What the desk needs of the store. Each call is one transaction, or raises."""

    async def record_poll(
        self,
        snapshot: ProjectSnapshot,
        alerts: Iterable[Alert],
        transitions: Iterable[Transition],
        groups: Iterable[Group],
    ) -> None:
        """What a poll made of a project."""

    async def record_times(self, snapshot: ProjectSnapshot, sighted_at: datetime | None) -> None:
        """When a project was polled that is as it was recorded last.

        `sighted_at` is the latest `last_seen_at` of its alerts; None when it has none.
        """

    async def forget_project(
        self, name: str, alerts: Iterable[Alert] = (), transitions: Iterable[Transition] = ()
    ) -> None:
        """A project left; only these alerts are kept, until their ends are told."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """What alerts were made of; while it is the same, so are they."""

    snapshot: ProjectSnapshot
    rules: Rules
    since: datetime
    until: datetime
    """Exclusive."""
    sighted_at: datetime | None
    """The latest `last_seen_at` of the alerts; `since` if a finding stands."""

    def goes_on(self, snapshot: ProjectSnapshot, rules: Rules, now: datetime) -> bool:
        """Whether another poll that found this can be passed over."""
        before = self.snapshot
        return (
            snapshot.findings is before.findings
            and snapshot.authorizations is before.authorizations
            and snapshot.stale_at is before.stale_at
            and snapshot.verifications is before.verifications
            and snapshot.project is before.project
            and snapshot.is_up
            and before.is_up
            and rules is self.rules
            and self.since <= now < self.until
        )


class AlertDesk:
    """Keeps the board true to what polls find.

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
        self._resting: dict[str, _Rest] = {}
        """By project."""

    def adopt(self, rules: Rules) -> None:
        """Go by these rules from now on. Alerts feel it when their project is recorded next."""
        self._rules = rules

    async def record(self, snapshot: ProjectSnapshot) -> None:
        """Bring the alerts of one project up to date. Raises nothing but CancelledError."""
        name = snapshot.project.name
        try:
            if (rest := self._rest_of(snapshot)) is not None:
                await self._record_times(snapshot, rest)
            else:
                await see_through(self._advance(snapshot), name=f"alerts of {name}")
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
            except Exception as error:  # noqa: BLE001 - whatever the ledger raises; it is logged
                _log.warning("the end of project %s waits for the state: %s", project, error)
                asyncio.get_running_loop().call_later(5.0, self.depart, project)

    def _rest_of(self, snapshot: ProjectSnapshot) -> _Rest | None:
        """What goes on, when the poll changed nothing that alerts are made of."""
        rest = self._resting.get(snapshot.project.name)
        return rest if rest and rest.goes_on(snapshot, self._rules, self._now()) else None

    async def _record_times(self, snapshot: ProjectSnapshot, rest: _Rest) -> None:
        sighted_at, now = rest.sighted_at, self._now()
        if sighted_at == rest.since:
            self._board.sight(snapshot.project.name, seen_at=rest.since, again_at=now)
            sighted_at = now
        await self._ledger.record_times(snapshot, sighted_at)

    async def _advance(self, snapshot: ProjectSnapshot) -> None:
        name, board = snapshot.project.name, self._board
        self._resting.pop(name, None)
        async with board.lock.project(name):
            rules = self._rules
            known = board.alerts_of(name)

            def step(now: datetime) -> _Step:
                return advance(known, snapshot, rules, now)

            alerts, transitions, keys, now = await self._step(step)
            with self._touching(keys):
                groups = board.admit(_firing(transitions), now)
                board.draft(groups)
                await self._ledger.record_poll(snapshot, alerts, transitions, groups.values())
                board.publish(name, alerts, groups.values())
            sighted_at = max((alert.last_seen_at for alert in alerts), default=None)
            until = next_turn(alerts, rules, now)
            self._resting[name] = _Rest(snapshot, rules, now, until, sighted_at)
        self._tell(transitions, now)

    async def _depart(self, project: str) -> None:
        self._resting.pop(project, None)
        async with self._board.lock.project(project):
            step = partial(depart, self._board.alerts_of(project))
            alerts, transitions, keys, now = await self._step(step)
            with self._touching(keys):
                await self._ledger.forget_project(project, alerts, transitions)
                self._board.publish(project, alerts, ())
        self._tell(transitions, now)

    async def _step(self, step: Callable[[datetime], _Step]) -> _Plan:
        """What becomes of alerts now, when the groups that are touched can be changed at once.

        No await comes between this and the asking of the ledger, so that what is written later
        is later, and goes by what was written before.
        """
        while True:
            now = self._now()
            alerts, transitions = step(now)
            keys = self._board.groups_of(it.alert for it in transitions)
            if await self._board.lock.flushed(keys):
                return alerts, transitions, keys, now

    @contextmanager
    def _touching(self, keys: Collection[str]) -> Iterator[None]:
        try:
            with self._board.lock.touching(keys):
                yield
        finally:
            self._board.settle(keys)

    def _tell(self, transitions: Iterable[Transition], now: datetime) -> None:
        for transition in transitions:
            if transition.alert.state is AlertState.FIRING:
                self._emit(AlertFired(transition.alert, transition.is_flap_start))
                for hook, suppression in self._board.suppressions(transition.alert, now):
                    self._emit(AlertSuppressed(transition.alert, hook, suppression))
            else:
                self._emit(AlertResolved(transition.alert))


def _firing(transitions: Iterable[Transition]) -> list[Alert]:
    return [it.alert for it in transitions if it.alert.state is AlertState.FIRING]
