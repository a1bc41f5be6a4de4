"""Reads the state beside the daemon that holds it, and changes nothing: not even a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.audit.history import HistoryEntry
from auditd.store import history, outbox, trail, verification
from auditd.store.address import is_server, parse_url
from auditd.store.backing import Backing
from auditd.store.errors import StoreFault, StoreReadError, StoreUnavailableError
from auditd.store.migration import HEAD, revision_of
from auditd.store.postgresql import PostgresqlBacking
from auditd.store.preparation import unavailable
from auditd.store.schema import DELIVERIES
from auditd.store.sqlite import SqliteBacking, sqlite_path
from auditd.store.state import StoredState, read_state
from auditd.store.trail import TrailEntry, TrailKind

_T = TypeVar("_T")


class StateAbsentError(StoreUnavailableError):
    """There is no state yet."""

    def __init__(self, place: str) -> None:
        super().__init__(
            f"there is no state in {place} yet; the daemon makes it when it is first started"
        )


class Reader:
    """What is stored, as of the call. Each method is one transaction, and blocks.

    All raise StoreReadError. The times of polls that changed nothing can be 5 s late.
    """

    def __init__(self, backing: Backing) -> None:
        self._backing = backing

    def require_sound(self) -> None:
        """Look through all of it; raises StoreReadError when it is damaged."""
        self._read(self._backing.check)
        self.state()

    def state(self) -> StoredState:
        """Everything that the daemon would go on from."""
        return self._read(read_state)

    def delivery(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id; None when there is none, or not any more."""
        return self._read(lambda connection: outbox.find(connection, delivery_id))

    def deliveries(
        self,
        *,
        state: DeliveryState | None = None,
        hook: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> tuple[Delivery, ...]:
        """The newest deliveries first. `before` is the id of the last one of the page before."""
        return self._read(
            partial(outbox.newest, state=state, hook=hook, limit=limit, before=before)
        )

    def delivery_counts(self) -> Mapping[tuple[str, DeliveryState], int]:
        """How many deliveries there are, by hook and state; what there is none of is left out."""
        return self._read(_count_deliveries)

    def switched_off(self) -> Mapping[str, str]:
        """Why hooks get nothing, by hook."""
        return self._read(outbox.switched_off)

    def history(self, since: datetime) -> Iterator[HistoryEntry]:
        """What became of all projects, oldest first, from that instant on.

        Before it comes, for each authorization, what was listed then, with what was found of it
        and with what failed: so the state at any instant since can be told.
        """
        seq = 0
        while entries := self._read(partial(history.oldest, since=since, after=seq)):
            yield from entries
            seq = entries[-1].seq

    def trail(
        self, *, since: datetime | None = None, kind: TrailKind | None = None, limit: int = 100
    ) -> tuple[TrailEntry, ...]:
        """At most `limit` entries of the trail, the newest first; those at `since` are included."""
        return self._read(partial(trail.newest, since=since, kind=kind, limit=limit))

    def verify(self) -> verification.TrailVerdict:
        """Whether the trail is what was entered. The daemon's transactions can come between."""
        progress: verification.Progress | None = None
        while progress is None or progress.verdict is None:
            progress = self._read(partial(verification.follow, progress=progress))
        return progress.verdict

    def export(self) -> Iterator[bytes]:
        """The whole trail, oldest first, as JSON lines; see `auditd.store.trail` for its hashes."""
        seq, lines = 0, [b""]
        while lines:
            seq, lines = self._read(partial(verification.lines_after, seq=seq))
            yield from lines

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        return _transact(self._backing, work)


@contextmanager
def open_reader(url: str) -> Iterator[Reader]:
    """A reader of the state at `url`, whether or not a daemon holds it, until the block ends.

    Args:
        url: `sqlite:////absolute/path` or `postgresql://user@host/database`.

    Raises:
        StateAbsentError: there is no state yet.
        StoreUnavailableError: it cannot be opened, or another release wrote it.
        StoreReadError: it is damaged, or a server is away.
    """
    address = parse_url(url)
    backing: Backing
    if is_server(address):
        backing = PostgresqlBacking(address, is_exclusive=False)
    else:
        path = sqlite_path(url)
        _require_readable(path)
        backing = SqliteBacking(path, is_read_only=True)
    try:
        _require_ours(_transact(backing, revision_of), backing.place)
        yield Reader(backing)
    finally:
        backing.writes.dispose()


def _require_ours(revision: str | None, place: str) -> None:
    if revision is None:
        raise StateAbsentError(place)
    if revision != HEAD:
        msg = f"the state in {place} is of an older release; start the daemon, which migrates it"
        raise StoreUnavailableError(msg)


def _require_readable(path: Path) -> None:
    """Not by opening it: that would release the locks of whoever has it open in this process.

    Source: https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    try:
        path.stat()
    except FileNotFoundError:
        raise StateAbsentError(str(path)) from None
    except OSError as error:
        raise unavailable(path, error) from error
    if not os.access(path, os.R_OK):
        msg = f"this user may not read the state in {path}; run this as the user of the daemon"
        raise StoreUnavailableError(msg)


def _transact(backing: Backing, work: Callable[[Connection], _T]) -> _T:
    """The result of `work`, which sees one state, whatever is written meanwhile."""
    try:
        with backing.reads.connect() as connection:
            return work(connection)
    except DBAPIError as error:
        raise StoreReadError(backing.fault_of(error.orig), backing.place) from error
    except (LookupError, TypeError, ValueError) as error:
        raise StoreReadError(StoreFault.DAMAGED, backing.place) from error


def _count_deliveries(connection: Connection) -> Mapping[tuple[str, DeliveryState], int]:
    table = DELIVERIES.c
    query = select(table.hook, table.state, func.count()).group_by(table.hook, table.state)
    return {(hook, DeliveryState(state)): count for hook, state, count in connection.execute(query)}
