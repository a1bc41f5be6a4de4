"""What replicas ask of the store that they share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import TypeAlias

import msgspec
from sqlalchemy import (
    Connection,
    Double,
    bindparam,
    cast,
    delete,
    exists,
    extract,
    func,
    insert,
    select,
    text,
    update,
)

from auditd.alerting.delivery import Delivery
from auditd.audit.project import Project
from auditd.store import outbox
from auditd.store.access import Access
from auditd.store.columns import instant_text
from auditd.store.database import Database
from auditd.store.news import News, read_news
from auditd.store.revisions import (
    Change,
    ChangeKind,
    Revisions,
    changed,
    changes_after,
    last_number,
    number_of,
)
from auditd.store.rows import Rows
from auditd.store.schema import COMMITS, DISCOVERIES, KEYS, REPLICAS
from auditd.store.upsert import upsert

Slot: TypeAlias = tuple[datetime, datetime]
"""An instant for which something is claimed, and the latest that another replica whose clock is
ahead can have claimed it for."""

Enlist: TypeAlias = Callable[[Connection, Sequence[tuple[str, datetime]]], None]
"""Queue the polls of these slots, by project name, in the transaction of the connection."""

_NOW = cast(extract("epoch", func.clock_timestamp()), Double)
_BEAT = update(REPLICAS).where(REPLICAS.c.id == bindparam("of_id")).values(seen_at=_NOW)
_CLAIM = text("""
    INSERT INTO claims (name, slot)
    SELECT * FROM unnest(CAST(:names AS text[]), CAST(:slots AS text[]))
    ON CONFLICT (name) DO UPDATE SET slot = excluded.slot WHERE claims.slot < excluded.slot
    RETURNING name
    """)
_BURY = text("""
    DELETE FROM replicas
    WHERE seen_at < extract(epoch FROM clock_timestamp()) - :stall
    OR (
        id <> :ours
        AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => :stall)
        AND pg_try_advisory_xact_lock(1635083372, hashtext(id))
    )
    RETURNING id
    """)
_ARE_TOLD = text("""
    SELECT NOT EXISTS (
        SELECT FROM replicas AS other, replicas AS ours
        WHERE ours.id = :ours AND other.seen_at < ours.seen_at
        AND NOT pg_try_advisory_xact_lock(1635083372, hashtext(other.id))
    )
    """)
_FORGET = text("""
    DELETE FROM claims
    USING unnest(CAST(:names AS text[]), CAST(:latests AS text[])) AS known (name, latest)
    WHERE claims.name = known.name AND claims.slot > known.latest
    """)
"""Claims of a clock that was set back since: nothing would be done until it is there again."""
_FORMS = "forms"
_PROJECTS = msgspec.json.Decoder(tuple[Project, ...])


class Replicas(Access):
    """The part of a store on a server that replicas meet in; see `Store` for what it raises."""

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        rows: Rows,
        revisions: Revisions,
    ) -> None:
        super().__init__(database, now)
        self._rows = rows
        self._revisions = revisions

    @property
    def seen(self) -> int:
        """The number of the last revision up to which everything is known here."""
        return self._revisions.seen

    async def catch_up(self, busy: Collection[str]) -> News:
        """What other replicas changed since the last call. It counts as known from now on.

        The caller publishes it before anybody here bases a change on what was known before.

        Args:
            busy: the projects of which something is being recorded here. What changed of them
                is left for the next call.
        """

        def work(connection: Connection) -> News:
            number = last_number(connection)
            changes = changes_after(connection, self._revisions.seen) | self._revisions.left
            left = [change for change in changes if _is_busy(change, busy)]
            changes = changes.difference(left)
            known = self._rows.group_keys()
            news = read_news(connection, changes, known, self._revisions.replica)
            self._rows.learn(news)
            self._revisions.saw(number, left)
            return news

        return await self._read(work)

    async def form_key(self) -> bytes:
        """The 32 random bytes with which all replicas sign forms. To be asked for after `beat`.

        The first one of a fleet makes new ones, as a daemon that is alone does at its start. Two
        that start together see each other, and neither takes away what the other got.
        """

        def work(connection: Connection) -> bytes:
            others = exists().where(REPLICAS.c.id != self._revisions.replica)
            connection.execute(delete(KEYS).where(~others))
            known = select(KEYS.c.value).where(KEYS.c.name == _FORMS)
            key = connection.execute(known).scalar()
            if key is None:
                key = token_hex(32)
                connection.execute(insert(KEYS).values(name=_FORMS, value=key))
            return bytes.fromhex(key)

        return await self._write(work)

    async def beat(self, stall_seconds: float) -> int:
        """Say that this replica lives, and count those that do; the dead are removed.

        Dead is who has not said so for `stall_seconds`, and who has no connection any more,
        unless the server has just started: then nobody has had the time to connect.
        """
        return await self._write(lambda connection: self._beat(connection, stall_seconds))

    async def are_told(self) -> bool:
        """Whether all others that have a connection have counted since this replica did so last.

        Who has none is dead or cut off, and has nothing polled.
        """
        who = {"ours": self._revisions.replica}
        return await self._read(lambda connection: connection.execute(_ARE_TOLD, who).scalar_one())

    async def leave(self) -> None:
        """This replica ends: what it has to deliver is for the others now."""

        def work(connection: Connection) -> None:
            connection.execute(delete(REPLICAS).where(REPLICAS.c.id == self._revisions.replica))
            changed(connection, [(ChangeKind.REPLICA, self._revisions.replica)])

        await self._write(work)

    async def take_over(self, hooks: Collection[str]) -> tuple[Delivery, ...]:
        """What is owed to these hooks by replicas that are gone; it is for this one now."""
        return await self._write(lambda connection: outbox.take_over(connection, hooks))

    async def claim(self, name: str, slot: Slot) -> bool:
        """Whether it is for this replica to do what is done once for that slot."""
        won = await self._write(lambda connection: _claim(connection, {name: slot}, self._now))
        return bool(won)

    async def claim_polls(self, slots: Mapping[str, Slot], enlist: Enlist) -> Sequence[str]:
        """Let `enlist` queue the polls that nobody has queued yet. Returns these, by project."""

        def work(connection: Connection) -> Sequence[str]:
            polls = {f"poll {name}": slots[name] for name in slots}
            won = _claim(connection, polls, self._now)
            names = [name for name in slots if f"poll {name}" in won]
            if names:
                enlist(connection, [(name, slots[name][0]) for name in names])
            return names

        return await self._write(work)

    async def put_discovery(self, source: str, projects: Sequence[Project]) -> None:
        """What a source gave."""
        body = msgspec.json.encode(projects).decode()

        def work(connection: Connection) -> None:
            known = select(DISCOVERIES.c.body).where(DISCOVERIES.c.source == source)
            if connection.execute(known).scalar() != body:
                upsert(connection, DISCOVERIES, [{"source": source, "body": body}])
                changed(connection, [(ChangeKind.DISCOVERY, source)])

        await self._write(work)

    async def discovery(self, source: str) -> tuple[Project, ...] | None:
        """What a source gave last; None when it gave nothing yet."""
        query = select(DISCOVERIES.c.body).where(DISCOVERIES.c.source == source)
        body = await self._read(lambda connection: connection.execute(query).scalar())
        return None if body is None else _PROJECTS.decode(body)

    def _beat(self, connection: Connection, stall_seconds: float) -> int:
        ours = {"id": self._revisions.replica, "seen_at": _NOW}
        who = {"ours": self._revisions.replica, "stall": stall_seconds}
        gone = list(connection.execute(_BURY, who).scalars())
        if not connection.execute(_BEAT, {"of_id": self._revisions.replica}).rowcount:
            connection.execute(insert(REPLICAS).values(**ours))
            gone.append(self._revisions.replica)
        changed(connection, [(ChangeKind.REPLICA, name) for name in gone])
        if gone:
            is_left = ~exists().where(REPLICAS.c.id == COMMITS.c.writer)
            connection.execute(delete(COMMITS).where(is_left))
        return connection.execute(select(func.count()).select_from(REPLICAS)).scalar_one()


def _is_busy(change: Change, busy: Collection[str]) -> bool:
    kind, key = change
    return kind in {ChangeKind.PROJECT, ChangeKind.TIMES} and key in busy


def _claim(
    connection: Connection, slots: Mapping[str, Slot], now: Callable[[], datetime]
) -> frozenset[str]:
    """The names of which the slot was not claimed yet, and is now.

    What became old while this replica was cut off or stood still is left to the next slot: seen
    from there, what others claimed since would be claims of a clock that was set back.
    """
    number_of(connection)  # has the lock; to wait for it can take long
    present = now()
    texts = [
        (name, instant_text(at), instant_text(latest))
        for name, (at, latest) in slots.items()
        if present <= at + (latest - at) / 2
    ]
    if not texts:
        return frozenset()
    names, ats, latests = (list(column) for column in zip(*texts, strict=True))
    connection.execute(_FORGET, {"names": names, "latests": latests})
    return frozenset(connection.execute(_CLAIM, {"names": names, "slots": ats}).scalars())
