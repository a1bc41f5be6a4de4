"""What replicas of one daemon change, in one order for all of them.

Every transaction that writes begins by locking one row, so that those of all replicas come one
after another and none waits for two others. One that changes what replicas keep in memory gets
the next number, notes what it changed under it, and is announced when it is committed. So a
replica that knows the number up to which it has seen everything knows what it has not seen, and
is not let overwrite that.

Source: https://www.postgresql.org/docs/current/sql-notify.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import (
    Connection,
    bindparam,
    column,
    func,
    literal,
    select,
    table,
    text,
    true,
    union_all,
    update,
)

from auditd.alerting.superseded import SupersededError
from auditd.store.columns import stored_key
from auditd.store.errors import StoreOutdatedError
from auditd.store.migration import HEAD
from auditd.store.schema import CHANGES, POLLS, REVISION
from auditd.store.upsert import upsert

CHANNEL = "servicestage_auditd"
"""On which replicas tell each other; the payload is the schema, the number and the replica."""

OPTION = "revisions"
"""The option of an engine whose transactions are numbered: its Revisions."""

HALT_SECONDS = 2
"""For so long all others wait for a process that stands still in its transaction. Between two
statements of one there are milliseconds. The server ends the session of who is later, and what was
to be written is worked out again."""

# A migration has the row of the schema locked as well: what is read of it is never outdated.
_SCHEMA = table("alembic_version", column("version_num"))
_LOCK = (
    select(
        REVISION.c.number,
        _SCHEMA.c.version_num,
        func.set_config("idle_in_transaction_session_timeout", f"{HALT_SECONDS}s", True),  # noqa: FBT003 -- PostgreSQL's signature: for this transaction only
    )
    .join_from(REVISION, _SCHEMA, true())
    .with_for_update()
)
_NUMBER = update(REVISION).values(number=bindparam("to"))
_NOTIFY = text(
    f"SELECT pg_notify('{CHANNEL}', current_schema() || ' ' || :number || ' ' || :replica)"
)


class ChangeKind(StrEnum):
    """What replicas keep in memory. The key is the name, key or id of the thing."""

    PROJECT = "project"
    """Its snapshot and its alerts."""
    TIMES = "times"
    """When it was polled, and nothing else. These are not noted: the rows have the number."""
    GROUP = "group"
    DELIVERY = "delivery"
    HUSH = "hush"
    """Silences and acknowledgements, all of them."""
    HOOK = "hook"
    """Whether it is switched off."""
    DISCOVERY = "discovery"
    """What a source gave."""
    REPLICA = "replica"
    """One came or left."""


Change: TypeAlias = tuple[ChangeKind, str]


class Revisions:
    """The numbers of one database's transactions. Used in the database's thread only.

    Args:
        place: where the database is, for people.
        replica: the name of this process.
        seen: the last number up to which everything is known here.
    """

    def __init__(self, place: str, replica: str, seen: int) -> None:
        self._place = place
        self.replica = replica
        self.seen = seen
        self._last = seen
        """The number of the last transaction, when ours began."""
        self._unseen: frozenset[Change] = frozenset()
        self._left: frozenset[Change] = frozenset()
        """What is older than `seen` and was left aside, see `leave`."""
        self._changed: dict[Change, None] = {}
        self._number: int | None = None

    def begin(self, connection: Connection) -> None:
        """Have the lock. Called by the engine for each transaction.

        Raises:
            StoreOutdatedError: the schema is not ours any more.
        """
        self._changed.clear()
        self._number = None
        self._last, schema, _ = connection.execute(_LOCK).one()
        if schema > HEAD:
            raise StoreOutdatedError(self._place, schema, HEAD)
        self._unseen = self._left
        if self._last > self.seen:
            self._unseen |= changes_after(connection, self.seen)

    @property
    def next(self) -> int:
        """The number of the transaction under way, if it changes anything."""
        return self._last + 1

    def require_seen(self, changes: Iterable[Change]) -> None:
        """Raises SupersededError when another replica changed one of these unbeknown to us."""
        if self._unseen and not self._unseen.isdisjoint(_stored(change) for change in changes):
            raise SupersededError

    def unseen(self, kind: ChangeKind) -> frozenset[str]:
        """The keys of what other replicas changed unbeknown to us."""
        return frozenset(key for its_kind, key in self._unseen if its_kind is kind)

    def changed(self, changes: Iterable[Change]) -> None:
        """The transaction under way changes these."""
        self._changed.update(dict.fromkeys(map(_stored, changes)))

    def seal(self, connection: Connection) -> None:
        """The last statements of a transaction."""
        if not self._changed:
            return
        self._number = self.next
        rows = [
            {"kind": str(kind), "key": key, "number": self._number}
            for kind, key in self._changed
            if kind is not ChangeKind.TIMES
        ]
        upsert(connection, CHANGES, rows)
        connection.execute(_NUMBER, {"to": self._number})
        connection.execute(_NOTIFY, {"number": str(self._number), "replica": self.replica})

    def committed(self) -> None:
        """The transaction under way is stored."""
        if self._number is not None and self._last == self.seen:
            self.seen = self._number

    def saw(self, number: int, left: Collection[Change] = ()) -> None:
        """Everything up to that number is known now, but for what was `left` aside."""
        self.seen = max(self.seen, number)
        self._left = frozenset(map(_stored, left))

    @property
    def left(self) -> frozenset[Change]:
        """What is older than `seen` and yet not known."""
        return self._left


def require_seen(connection: Connection, changes: Iterable[Change]) -> None:
    """See Revisions; where nobody else writes there is nothing to require."""
    if revisions := _of(connection):
        revisions.require_seen(changes)


def unseen(connection: Connection, kind: ChangeKind) -> frozenset[str]:
    """See Revisions."""
    revisions = _of(connection)
    return revisions.unseen(kind) if revisions else frozenset()


def changed(connection: Connection, changes: Iterable[Change]) -> None:
    """See Revisions."""
    if revisions := _of(connection):
        revisions.changed(changes)


def number_of(connection: Connection) -> int:
    """The number of the transaction under way; 0 where there are none."""
    revisions = _of(connection)
    return revisions.next if revisions else 0


def owner_of(connection: Connection) -> str:
    """The replica that writes; empty where there is none."""
    revisions = _of(connection)
    return revisions.replica if revisions else ""


def last_number(connection: Connection) -> int:
    """The number of the last transaction that changed anything."""
    number: int = connection.execute(select(REVISION.c.number)).scalar_one()
    return number


def changes_after(connection: Connection, number: int) -> frozenset[Change]:
    """What changed after that number."""
    noted = select(CHANGES.c.kind, CHANGES.c.key).where(CHANGES.c.number > number)
    times = select(literal(str(ChangeKind.TIMES)), POLLS.c.project).where(POLLS.c.number > number)
    rows = connection.execute(union_all(noted, times))
    return frozenset((ChangeKind(kind), key) for kind, key in rows)


def _of(connection: Connection) -> Revisions | None:
    found: Revisions | None = connection.get_execution_options().get(OPTION)
    if found and not connection.in_transaction():
        connection.begin()  # what is asked or noted now is of this transaction
    return found


def _stored(change: Change) -> Change:
    kind, key = change
    return kind, stored_key(key)
