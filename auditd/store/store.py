"""The state and the outbox of one daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store import hush, outbox, trail, verification
from auditd.store.backup import Backups
from auditd.store.database import Database
from auditd.store.errors import StoreFault
from auditd.store.preparation import StoreOpening
from auditd.store.rows import Adopt, Poll, Rows
from auditd.store.state import StoredState, read_state
from auditd.store.trail import TrailEntry, TrailEvent, TrailKind

_T = TypeVar("_T")


class Store:
    """Everything that must survive. Each method is one transaction.

    A method that is cancelled has either done nothing or all. Those that write raise
    StoreWriteError and those that read StoreReadError, for a reason outside this program;
    StoreConflictError says that what was asked does not fit what is stored. Nothing was changed
    by a method that raised.

    Args:
        database: of our schema.
        backups: of that database.
        opening: how it was found, with `found`, the state that it held.
        now: the wall clock, aware and UTC.
        retention: how long settled deliveries and the trail are kept.
        backup_every: how old the newest backup gets.
    """

    def __init__(
        self,
        *,
        database: Database,
        backups: Backups,
        opening: StoreOpening,
        found: StoredState,
        now: Callable[[], datetime],
        retention: timedelta,
        backup_every: timedelta,
    ) -> None:
        self.opening = opening
        self._database = database
        self._backups = backups
        self._found: StoredState | None = found
        self._rows = Rows(found)
        self._now = now
        self._retention = retention
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
        found, self._found = self._found, None
        return await self._database.read(read_state) if found is None else found

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
        poll = Poll(snapshot, tuple(alerts), tuple(transitions), tuple(groups))
        await self._record(
            partial(self._rows.write_poll, poll=poll), unless=partial(self._rows.hold_back, poll)
        )

    async def record_groups(self, groups: Iterable[Group]) -> None:
        """Groups as new routes made them; one without members is over and is removed."""
        await self._record(partial(self._rows.write_groups, groups=tuple(groups)))

    async def record_flush(self, group: Group, delivery: Delivery | None) -> None:
        """A group after its flush, and what its hook is owed now, if anything.

        Raises:
            StoreConflictError: the group has another delivery that is pending.
        """

        def work(connection: Connection) -> Adopt:
            if delivery:
                outbox.owe(connection, delivery)
            return self._rows.write_groups(connection, [group])

        await self._record(work)

    async def forget_project(
        self, name: str, alerts: Iterable[Alert] = (), transitions: Iterable[Transition] = ()
    ) -> None:
        """A project left the fleet: of all that was stored of it only `alerts` are kept.

        These are the ends that are still to be told, see `alerting.life.depart`.
        """
        left = tuple(alerts), tuple(transitions)
        await self._record(lambda connection: self._rows.forget_project(connection, name, *left))

    async def settle(self, delivery: Delivery) -> None:
        """What became of an attempt at a pending delivery. Idempotent.

        Raises:
            StoreConflictError: there is no such pending delivery.
        """
        await self._write(lambda connection: outbox.settle(connection, delivery, self._now()))

    async def replay(self, delivery_id: str) -> Delivery:
        """Owe a dead delivery again: as of now, without attempts, with the same id.

        Raises:
            StoreConflictError: it is not dead, or its group has another pending one.
        """
        return await self._write(
            lambda connection: outbox.replay(connection, delivery_id, self._now())
        )

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id; None when there is none, or not any more."""
        return await self._database.read(lambda connection: outbox.find(connection, delivery_id))

    async def deliveries(
        self,
        *,
        state: DeliveryState | None = None,
        hook: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> tuple[Delivery, ...]:
        """The newest deliveries first. `before` is the id of the last one of the page before."""
        return await self._database.read(
            partial(outbox.newest, state=state, hook=hook, limit=limit, before=before)
        )

    async def switch_off(self, hook: str, reason: str) -> None:
        """Note why a hook gets nothing until a person switches it on. Idempotent."""
        await self._write(
            lambda connection: outbox.switch_off(connection, hook, reason, self._now())
        )

    async def switch_on(self, hook: str) -> None:
        """Let a hook get things again. Idempotent."""
        await self._write(lambda connection: outbox.switch_on(connection, hook, self._now()))

    async def put_silence(self, silence: Silence) -> None:
        """Add a silence, or replace the one with its id."""
        await self._write(lambda connection: hush.put_silence(connection, silence, self._now()))

    async def expire_silence(self, silence_id: str, author: str) -> None:
        """End a silence now; only the trail remembers it.

        Raises:
            StoreConflictError: there is none with this id.
        """
        await self._write(
            lambda connection: hush.expire_silence(connection, silence_id, author, self._now())
        )

    async def acknowledge(self, acknowledgement: Acknowledgement) -> None:
        """Add an acknowledgement, or replace the one of the same alert."""
        await self._write(lambda connection: hush.acknowledge(connection, acknowledgement))

    async def configuration_loaded(self, file: str, detail: Mapping[str, str]) -> None:
        """Enter into the trail that the daemon goes by another configuration now."""
        event = TrailEvent(self._now(), TrailKind.CONFIG_LOADED, file, detail)
        await self._write(lambda connection: trail.append(connection, [event]))

    async def trail(
        self,
        *,
        since: datetime | None = None,
        kind: TrailKind | None = None,
        limit: int = 100,
    ) -> tuple[TrailEntry, ...]:
        """At most `limit` entries of the trail, the newest first; those at `since` are included."""
        return await self._database.read(partial(trail.newest, since=since, kind=kind, limit=limit))

    async def verify(self) -> verification.TrailVerdict:
        """Whether the trail is what was entered. Other transactions can come between."""
        progress: verification.Progress | None = None
        while progress is None or progress.verdict is None:
            progress = await self._database.read(partial(verification.follow, progress=progress))
        return progress.verdict

    async def export(self) -> AsyncIterator[bytes]:
        """The whole trail, oldest first, as JSON lines; see `auditd.store.trail` for its hashes."""
        seq, lines = 0, [b""]
        while lines:
            seq, lines = await self._database.read(partial(verification.lines_after, seq=seq))
            for line in lines:
                yield line

    async def save(self) -> None:
        """Write what quiet polls changed, and find out whether a fault is over."""
        if self._rows.are_late:
            await self._record(self._rows.write_late_times)
        elif not self.is_writable:
            await self._write(outbox.probe)

    async def prune(self) -> None:
        """Forget what is older than the retention, silences that ended and orphans."""

        def work(connection: Connection) -> None:
            outbox.prune(connection, now - self._retention)
            trail.prune(connection, now - self._retention)
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

    async def _record(
        self, work: Callable[[Connection], Adopt], unless: Callable[[], bool] | None = None
    ) -> None:
        self._found = None
        await self._database.write(work, lambda adopt: adopt(), unless=unless)

    async def _write(self, work: Callable[[Connection], _T]) -> _T:
        self._found = None
        results: list[_T] = []
        await self._database.write(work, results.append)
        return results[0]
