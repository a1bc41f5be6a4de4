"""Turns what a poll found into alerts and into what hooks are owed, durably, in one step."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NoReturn, Protocol

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.alert_events import AlertFired, AlertResolved, AlertSuppressed, EmitAlert
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition, advance, depart
from auditd.alerting.rules import Rules
from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.board import Board
from auditd.hooks.endurance import see_through

_log = logging.getLogger(__name__)


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

    async def forget_project(
        self, name: str, alerts: Iterable[Alert] = (), transitions: Iterable[Transition] = ()
    ) -> None:
        """A project left; only these alerts are kept, until their ends are told."""


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

    def adopt(self, rules: Rules) -> None:
        """Go by these rules from now on. Alerts feel it when their project is recorded next."""
        self._rules = rules

    async def record(self, snapshot: ProjectSnapshot) -> None:
        """Bring the alerts of one project up to date. Raises nothing but CancelledError."""
        name = snapshot.project.name
        try:
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

    async def _advance(self, snapshot: ProjectSnapshot) -> None:
        name = snapshot.project.name
        async with self._board.lock:
            now = self._now()
            known = self._board.alerts_of(name)
            alerts, transitions = advance(known, snapshot, self._rules, now)
            groups = self._board.admit(_firing(transitions), now).values()
            await self._ledger.record_poll(snapshot, alerts, transitions, groups)
            self._board.publish(name, alerts, groups)
        self._tell(transitions, now)

    async def _depart(self, project: str) -> None:
        async with self._board.lock:
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


def _firing(transitions: Iterable[Transition]) -> list[Alert]:
    return [it.alert for it in transitions if it.alert.state is AlertState.FIRING]
