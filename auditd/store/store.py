"""The state and the outbox of one daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store import history, hush, outbox, trail
from auditd.store.backup import Copies
from auditd.store.chronicle import Chronicle
from auditd.store.database import Database
from auditd.store.deliveries import Deliveries
from auditd.store.errors import StoreFault
from auditd.store.poll import Poll
from auditd.store.preparation import StoreOpening
from auditd.store.project_rows import rows_of
from auditd.store.replicas import Replicas
from auditd.store.revisions import ChangeKind, require_seen
from auditd.store.rows import Rows
from auditd.store.state import PollTimes, StoredState, read_state


class Store(Deliveries, Chronicle):
    """Everything that must survive. Each method is done as a whole or not at all.

    Methods are done in the order of the calls. Those that are called while others are under way
    share a transaction; none returns before it is committed. One that is cancelled has either
    done nothing or all. Those that write raise StoreWriteError and those that read
    StoreReadError, for a reason outside this program; StoreConflictError says that what was
    asked does not fit what is stored, and SupersededError that another replica changed what it was
    based on. Nothing was changed by a method that raised.

    Args:
        database: of our schema.
        backups: of that database.
        opening: how it was found, with `found`, the state that it held.
        now: the wall clock, aware and UTC.
        retention: how long settled deliveries, the trail and what is over are kept.
        backup_every: how old the newest backup gets.
    """

    def __init__(
        self,
        *,
        database: Database,
        backups: Copies,
        opening: StoreOpening,
        found: StoredState,
        now: Callable[[], datetime],
        retention: timedelta,
        backup_every: timedelta,
    ) -> None:
        super().__init__(database, now)
        self.opening = opening
        self._backups = backups
        self._found = found
        self._rows = Rows(found)
        self.replicas: Replicas | None = None
        """What replicas share; None where this process has the store alone."""
        if revisions := database.backing.revisions:
            self.replicas = Replicas(database, now, self._rows, revisions)
        self.retention = retention
        """May be changed; the next `prune` goes by it."""
        self._backup_every = backup_every

    @property
    def fault(self) -> StoreFault | None:
        """Why the last transaction could not be written; None when it was.

        While there is a fault nothing may be sent, because that it was sent could not be noted.
        The store notices by itself, within 5 s, when it is over.
        """
        return self._database.fault

    @property
    def is_writable(self) -> bool:
        """Whether the last transaction could be written."""
        return self._database.is_writable

    async def load(self) -> StoredState:
        """Everything that the daemon goes on from.

        What was found when the store was opened is not read again, if nothing happened since.
        """
        found, self._found = self._found, StoredState()
        if self._is_touched:
            return await self._read(read_state)
        self._is_touched = True
        return found

    async def record_poll(
        self,
        snapshot: ProjectSnapshot,
        alerts: Iterable[Alert],
        transitions: Iterable[Transition],
        groups: Iterable[Group],
    ) -> None:
        """What a poll made of a project.

        Only what differs from what is stored is written. Of a poll that changed nothing but times
        and the count of failures nothing is written now: these are written with the next poll
        that changed something, or within 5 s.

        Args:
            snapshot: of the project, after the poll.
            alerts: all alerts of the project that are to be kept.
            transitions: what the trail is to tell of them.
            groups: any groups; those that are as they were cost nothing.
        """
        poll = Poll(self._now(), snapshot, tuple(alerts), tuple(transitions), tuple(groups))
        rows = rows_of(poll)
        await self._record(
            partial(self._rows.write_poll, poll=poll, project=rows),
            self._rows.reload,
            unless=partial(self._rows.hold_back, poll, rows),
            put_off=self._rows.put_down,
        )

    def record_times(self, snapshot: ProjectSnapshot, sighted_at: datetime | None) -> None:
        """When a project was polled that is, in all else, as `record_poll` recorded it last.

        Written with the next poll that changed something, or within 5 s. Returns at once.

        Args:
            snapshot: of the project, after the poll.
            sighted_at: the latest `last_seen_at` of its alerts; None when it has none.
        """
        self._is_touched = True
        times = PollTimes(
            snapshot.attempted_at, snapshot.succeeded_at, snapshot.failures_in_a_row, sighted_at
        )
        self._rows.hold_back_times(snapshot.project.name, times)

    async def record_groups(self, groups: Iterable[Group]) -> None:
        """Groups as new routes made them; one without members is over and is removed."""
        work = partial(self._rows.write_groups, groups=tuple(groups))
        await self._record(work, self._rows.reload)

    async def record_flush(self, group: Group, delivery: Delivery | None) -> None:
        """A group after its flush, and what its hook is owed now, if anything.

        Raises:
            StoreConflictError: the group has another delivery that is pending.
        """

        def work(connection: Connection, undo: ExitStack) -> None:
            require_seen(connection, [(ChangeKind.GROUP, group.key)])
            if delivery:
                told = {alert.labels["project"] for alert in delivery.notification.alerts}
                require_seen(connection, ((ChangeKind.PROJECT, name) for name in told))
                outbox.owe(connection, delivery)
            self._rows.write_groups(connection, undo, [group])

        amends = [self._rows.reload]
        if delivery:
            amends.append(partial(outbox.forgo, delivery_id=delivery.id))
        await self._record(work, *amends)

    async def forget_project(
        self, name: str, alerts: Iterable[Alert] = (), transitions: Iterable[Transition] = ()
    ) -> None:
        """A project left the fleet: of what was stored of it only `alerts` and its past are kept.

        The alerts are the ends that are still to be told, see `alerting.life.depart`.
        """
        work = partial(
            self._rows.forget_project,
            name=name,
            at=self._now(),
            alerts=tuple(alerts),
            ended=tuple(transitions),
        )
        await self._record(work, self._rows.reload)

    async def put_silence(self, silence: Silence) -> None:
        """Add a silence, or replace the one with its id."""
        await self._write(partial(hush.put_silence, silence=silence, now=self._now()))

    async def expire_silence(self, silence_id: str, author: str) -> None:
        """End a silence now; only the trail remembers it.

        Raises:
            StoreConflictError: there is none with this id.
        """
        work = partial(hush.expire_silence, silence_id=silence_id, author=author, now=self._now())
        await self._write(work)

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Add an acknowledgement, or replace the one of the same alert."""
        await self._write(partial(hush.acknowledge, acknowledgement=acknowledgement))

    async def save(self) -> None:
        """Write what quiet polls changed, and find out whether a fault is over."""
        if self._rows.are_late:
            await self._record(self._rows.write_late_times, self._rows.reload)
        elif not self.is_writable:
            await self._write(outbox.probe)

    async def prune(self) -> None:
        """Forget what is older than the retention, silences that ended and orphans."""

        def work(connection: Connection) -> None:
            outbox.prune(connection, now - self.retention)
            trail.prune(connection, now - self.retention)
            history.prune(connection, now - self.retention)
            hush.prune(connection, now)

        now = self._now()
        await self._write(work)

    async def backup(self) -> None:
        """Copy the database to a file beside it; other transactions wait meanwhile."""
        await self._backups.make(self._database, self._now())

    async def back_up_if_due(self) -> None:
        """Make a backup if there is none of the last while, or only one from the future."""
        if await self._backups.is_due(self._now(), self._backup_every):
            await self.backup()
