"""Poller, desk, board, flusher and deliverer on a store, joined as the daemon joins them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auditd.alerting.alert import AlertState
from auditd.alerting.events import DeliveryEvent
from auditd.alerting.grouping import Group, regroup
from auditd.alerting.route import RouteNode
from auditd.alerting.rules import Rules
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.hooks.board import Board
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.desk import AlertDesk
from auditd.hooks.flusher import Flusher
from auditd.hooks.ledger import Ledger, PollLedger
from auditd.hooks.port import Hook
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.ports import AuthorizationSource
from auditd.store.state import StoredState


class Books(PollLedger, Ledger, Protocol):
    """All that the pipeline asks of the store."""

    async def load(self) -> StoredState: ...

    async def record_groups(self, groups: Iterable[Group]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What stays the same when a pipeline is stopped and another takes over."""

    projects: Sequence[Project]
    policy: Policy
    rules: Rules
    tree: RouteNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What differs from one pipeline to the next."""

    source: AuthorizationSource
    hooks: Sequence[Hook]
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    new_id: Callable[[], str]
    random: Callable[[], float]
    emit: Callable[[DeliveryEvent], None] = lambda _: None


class Pipeline:
    """From lists to hooks. It polls only when told to."""

    def __init__(
        self,
        state: StoredState,
        groups: dict[str, Group],
        books: Books,
        terms: Terms,
        around: Surroundings,
    ) -> None:
        self._terms = terms
        self._now = around.now
        self.board = Board(
            terms.tree,
            hooks=[hook.name for hook in around.hooks],
            alerts=state.alerts,
            groups=groups,
        )
        self.desk = AlertDesk(self.board, books, terms.rules, emit=lambda _: None, now=around.now)
        self.deliverer = Deliverer(
            around.hooks,
            books,
            pending=state.pending,
            switched_off=state.switched_off,
            external_url="",
            emit=around.emit,
            now=around.now,
            monotonic=around.monotonic,
            random=around.random,
        )
        self.flusher = Flusher(
            self.board,
            books,
            self.deliverer,
            now=around.now,
            monotonic=around.monotonic,
            new_id=around.new_id,
        )
        self._fleet = Fleet(state.snapshot_of)
        self._poller = Poller(
            source=around.source,
            fleet=self._fleet,
            policy=terms.policy,
            journal=self.desk,
            emit=lambda _: None,
            now=around.now,
            monotonic=around.monotonic,
        )
        for project in terms.projects:
            self._fleet.join(project)

    async def run(self) -> None:
        """Tell until cancelled."""
        async with asyncio.TaskGroup() as group:
            for part in (self.desk, self.flusher, self.deliverer):
                group.create_task(part.run())

    async def poll(self) -> None:
        """Poll each project once."""
        async with asyncio.TaskGroup() as group:
            for project in self._terms.projects:
                group.create_task(self._poller.poll(Slot(project, self._now())))

    async def keep_polling(self, every_seconds: Callable[[], float]) -> None:
        """Poll until cancelled, each project on its own."""

        async def keep_polling(project: Project) -> None:
            while True:
                await self._poller.poll(Slot(project, self._now()))
                await asyncio.sleep(every_seconds())

        async with asyncio.TaskGroup() as group:
            for project in self._terms.projects:
                group.create_task(keep_polling(project))

    def replace(self, project: Project) -> None:
        """The project leaves the fleet, and one of the same name joins it."""
        self._fleet.leave(project.name)
        self.desk.depart(project.name)
        self._fleet.join(project)

    async def settle(self) -> None:
        """Wait until nobody is owed anything."""
        changed = asyncio.Event()
        self.board.listen(lambda _: changed.set())
        self.deliverer.listen(lambda _: changed.set())
        while not self._is_settled:
            changed.clear()
            await changed.wait()

    @property
    def _is_settled(self) -> bool:
        return not self.deliverer.pending and all(
            member.told_at and self.board.alerts[fingerprint].state is AlertState.FIRING
            for group in self.board.groups.values()
            for fingerprint, member in group.members.items()
        )


async def join(books: Books, terms: Terms, around: Surroundings) -> Pipeline:
    """A pipeline that goes on from what is stored."""
    state = await books.load()
    alerts = [alert for alerts in state.alerts.values() for alert in alerts]
    firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
    groups = regroup(state.groups, firing, terms.tree, around.now())
    await books.record_groups(groups.values())
    return Pipeline(state, dict(groups), books, terms, around)
