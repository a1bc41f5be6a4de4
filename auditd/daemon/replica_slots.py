"""What is done once for all replicas: whoever claims its slot does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from sqlalchemy import Connection

from auditd.audit.events import Emit, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.audit.project import Project
from auditd.daemon.work import job_of
from auditd.engine.port import Engine
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.polling.ports import ProjectSource
from auditd.store.errors import StoreError, StoreOutdatedError
from auditd.store.replicas import Replicas

PAUSE_SECONDS = 1.0
"""Between two tries while the server is away."""
_FIRST_READ = timedelta(seconds=30)
"""How long nobody else reads a source that gave nothing yet, while one does."""


class ReplicaSlots:
    """Claims slots in the database that replicas share.

    Clocks of replicas may be apart: a slot is an instant on a grid, and not when it was claimed.

    Args:
        replicas: the database.
        engine: has the polls done.
        fleet: knows what was polled.
        is_polled: whether another replica has polled the project since a slot.
        on_polled: told when a slot that is due was polled by another replica already.
        emit: told of slots that nobody saw to.
        now: the wall clock.
    """

    def __init__(
        self,
        replicas: Replicas,
        engine: Engine,
        fleet: Fleet,
        *,
        is_polled: Callable[[Slot], bool],
        on_polled: Callable[[], None],
        emit: Emit,
        now: Callable[[], datetime],
    ) -> None:
        self._replicas = replicas
        self._engine = engine
        self._fleet = fleet
        self._is_polled = is_polled
        self._on_polled = on_polled
        self._emit = emit
        self._now = now
        self._due: dict[str, Slot] = {}
        self._are_due = asyncio.Event()

    def dispatch(self, slots: Sequence[Slot]) -> None:
        """Polls are due: let some replica do each. Returns at once."""
        for slot in slots:
            known = self._fleet.get(slot.project.name)
            if known and self._is_polled(slot):
                self._fleet.publish(known)
                self._on_polled()
            else:
                self._due[slot.project.name] = slot
        if self._due:
            self._are_due.set()

    async def run(self) -> NoReturn:
        """Claim and queue what is due, until cancelled. While that fails it stays due.

        Raises:
            StoreOutdatedError: this release can claim nothing any more.
        """
        while True:
            await self._are_due.wait()
            self._are_due.clear()
            due = {**self._due}
            try:
                claimed = await self._replicas.claim_polls(
                    {name: (slot.at, _latest(slot)) for name, slot in due.items()}, self._enlist
                )
            except StoreOutdatedError:
                raise
            except StoreError:  # readiness tells of it
                self._are_due.set()
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                for name in claimed:
                    self._tell_missed(due[name])
                self._due = {
                    name: slot for name, slot in self._due.items() if slot is not due.get(name)
                }

    async def claim(self, name: str, every: timedelta) -> bool:
        """Whether it is for this replica to do now what is done once in such an interval.

        While nobody can claim anything, everybody does it: what is told twice does no harm, and an
        Alertmanager that is told nothing takes every alert for resolved.
        """
        try:
            return await self._replicas.claim(name, self._slot(every))
        except StoreError:
            return True

    async def read(self, source: ProjectSource) -> Sequence[Project]:
        """What a source gives; one replica asks it, the others get what that one got.

        Raises:
            PollError: it cannot be read now.
            ValueError: likewise, or the store cannot be reached.
        """
        try:
            while True:
                known = await self._replicas.discovery(source.name)
                every = source.refresh_interval if known else _FIRST_READ
                slot = self._slot(min(every, source.refresh_interval))
                if await self._replicas.claim(f"discovery {source.name}", slot):
                    projects = await source.projects()
                    await self._replicas.put_discovery(source.name, projects)
                    return projects
                if known is not None:
                    return known
                await asyncio.sleep(PAUSE_SECONDS)
        except StoreError as error:
            raise ValueError(str(error)) from error

    def _tell_missed(self, slot: Slot) -> None:
        """Of the slots that passed while this replica stood still, those since any other's poll."""
        name, missed = slot.project.name, slot.missed
        known = self._fleet.get(name)
        if known and known.attempted_at:
            missed = min(missed, (slot.at - known.attempted_at) // slot.project.poll_interval)
        if missed > 0:
            self._emit(PollSkipped(name, SkipReason.BLOCKED, missed))

    def _slot(self, every: timedelta) -> tuple[datetime, datetime]:
        seconds = every.total_seconds()
        at = datetime.fromtimestamp(self._now().timestamp() // seconds * seconds, UTC)
        return at, at + 2 * every

    def _enlist(self, connection: Connection, due: Sequence[tuple[str, datetime]]) -> None:
        self._engine.submit([job_of(name, at) for name, at in due], connection)


def _latest(slot: Slot) -> datetime:
    return slot.at + 2 * slot.project.poll_interval
