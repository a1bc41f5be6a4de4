"""Many works in one transaction: one commit, whose price they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from time import monotonic, sleep
from typing import TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from auditd.store import batch
from auditd.store.backing import Backing
from auditd.store.batch import Batch, Done, Outcome, Work
from auditd.store.errors import (
    StoreConflictError,
    StoreFault,
    StoreHeldError,
    StoreWriteError,
)
from auditd.store.receipts import Receipts

PATIENCE_SECONDS = 5.0
"""How long a database that went away during a commit is asked whether there was one."""
_PAUSE_SECONDS = 0.1

_Way: TypeAlias = Callable[[Connection, Work, Backing], Outcome]


class Writer:
    """Writes to one database. All of it runs in the database's thread."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._doubt: tuple[Receipts, str, Sequence[Work]] | None = None
        """Where the token of a commit is that nobody answered, the token, and what it was of."""

    def write(self, works: Sequence[Work]) -> Batch:
        """Do works in one transaction, in their order.

        A work that raises undoes only itself. What is wrong with the database, and a commit that
        fails, undoes all; then none of them is stored.
        """
        # A savepoint for each work costs half as much as the work, and hardly any work raises.
        ways = [_simply] if len(works) == 1 else [_simply, _carefully]
        for way in ways:
            try:
                return self._transact(works, way)
            except Exception as error:  # noqa: BLE001 -- whoever asked gets it
                for work in reversed(works):
                    work.undo()
                cause = error
            if _is_of_all(cause, self._backing):
                break
        outcomes = [Done() if work.unless() else _told(cause, self._backing) for work in works]
        return Batch(outcomes, fault=_fault(cause, self._backing))

    def _transact(self, works: Sequence[Work], way: _Way) -> Batch:
        result, late_at = Batch(), monotonic() + batch.LONGEST_SECONDS
        if self._doubt:
            self._end_doubt(*self._doubt)
        # No Connection is used again. One of SQLAlchemy 2.1 whose BEGIN failed would run all that
        # comes after without a transaction; one whose COMMIT failed leaves its own open.
        with self._backing.writes.connect() as connection:
            try:
                for work, after in zip_longest(works, works[1:]):
                    outcome = Done() if work.unless() else way(connection, work, self._backing)
                    result.outcomes.append(outcome)
                    is_late = monotonic() >= late_at
                    is_end = after is None or is_late or after.put_off != work.put_off
                    if is_end and isinstance(outcome, Done):  # one that failed did its own
                        work.put_off(connection)
                    if is_late:
                        break
                if connection.in_transaction():
                    self._seal(connection)
                    self._commit(connection, works)
                    result.is_committed = True
                    if revisions := self._backing.revisions:
                        revisions.committed()
            except DBAPIError:
                if not connection.invalidated:
                    connection.connection.rollback()
                raise
        return result

    def _seal(self, connection: Connection) -> None:
        if revisions := self._backing.revisions:
            revisions.seal(connection)

    def _commit(self, connection: Connection, works: Sequence[Work]) -> None:
        receipts = self._backing.receipts
        if not receipts:
            connection.commit()
            return
        token = receipts.leave(connection)
        try:
            connection.commit()
        except DBAPIError as error:
            if _fault(error, self._backing) is not StoreFault.UNREACHABLE:
                raise
            connection.invalidate()  # its place in the pool is needed
            self._doubt = receipts, token, works
            is_stored = self._is_stored(receipts, token, PATIENCE_SECONDS)
            self._doubt = None
            if not is_stored:
                raise

    def _end_doubt(self, receipts: Receipts, token: str, works: Sequence[Work]) -> None:
        """Square memory and database, if what was told to have failed is stored after all."""
        if self._is_stored(receipts, token, patience_seconds=0.0):
            amends = dict.fromkeys(amend for work in works for amend in work.amends)
            with self._backing.writes.begin() as connection:
                for amend in amends:
                    amend(connection)
                self._seal(connection)
        self._doubt = None

    def _is_stored(self, receipts: Receipts, token: str, patience_seconds: float) -> bool:
        """Raises DBAPIError or StoreHeldError when the database stays away."""
        until = monotonic() + patience_seconds
        while True:
            try:
                with self._backing.reads.connect() as connection:
                    return receipts.has(connection, token)
            except (DBAPIError, StoreHeldError):
                if monotonic() >= until:
                    raise
            sleep(_PAUSE_SECONDS)


def _simply(connection: Connection, work: Work, _backing: Backing) -> Outcome:
    return Done(work.do(connection))


def _carefully(connection: Connection, work: Work, backing: Backing) -> Outcome:
    """Raises only what is wrong with the database."""
    savepoint = connection.begin_nested()
    try:
        value = work.do(connection)
        work.put_off(connection)
    except Exception as error:
        if _is_of_all(error, backing):
            raise
        work.undo()
        savepoint.rollback()
        return _told(error, backing)
    savepoint.commit()
    return Done(value)


def _is_of_all(error: Exception, backing: Backing) -> bool:
    """Whether the other works of the transaction fail of it as well."""
    return _fault(error, backing) not in {None, StoreFault.INTERNAL}


def _fault(error: Exception, backing: Backing) -> StoreFault | None:
    """What an error says of the database; None when it says something of the work."""
    if isinstance(error, StoreHeldError):
        return StoreFault.BUSY
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return None
    return backing.fault_of(error.orig)


def _told(error: Exception, backing: Backing) -> Exception:
    """The error as whoever asked for the work is told of it."""
    failure: Exception
    if fault := _fault(error, backing):
        failure = StoreWriteError(fault, backing.place)
    elif isinstance(error, IntegrityError):
        msg = f"the state in {backing.place} has something else already; nothing was changed"
        failure = StoreConflictError(msg)
    else:
        return error
    failure.__cause__ = error
    return failure
