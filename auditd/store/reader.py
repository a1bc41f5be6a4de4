"""Reads the state beside the daemon that holds it, and changes nothing: not even a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, func, select
from sqlalchemy.exc import DBAPIError

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.store import outbox, trail, verification
from auditd.store.errors import StoreFault, StoreReadError, StoreUnavailableError
from auditd.store.migration import HEAD, revision_of
from auditd.store.preparation import unavailable
from auditd.store.schema import DELIVERIES
from auditd.store.sqlite import fault_of, sqlite_path
from auditd.store.state import StoredState, read_state
from auditd.store.trail import TrailEntry, TrailKind

_T = TypeVar("_T")

_BUSY_TIMEOUT_SECONDS = 5.0


class StateAbsentError(StoreUnavailableError):
    """There is no state yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"there is no state in {path} yet; the daemon makes it when it is first started"
        )


class Reader:
    """What is stored, as of the call. Each method is one transaction, and blocks.

    All raise StoreReadError. The times of polls that changed nothing can be 5 s late.
    """

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path

    def require_sound(self) -> None:
        """Look through the whole file; raises StoreReadError when it is damaged."""
        self._read(_check_all)

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
        return _transact(self._engine, self._path, work)


@contextmanager
def open_reader(url: str) -> Iterator[Reader]:
    """A reader of the state at `url`, whether or not a daemon holds it, until the block ends.

    Args:
        url: `sqlite:////absolute/path`.

    Raises:
        StateAbsentError: there is no state yet.
        StoreUnavailableError: it cannot be opened, or another release wrote it.
        StoreReadError: it is damaged.
    """
    path = sqlite_path(url)
    _require_readable(path)
    engine = _open_engine(path)
    try:
        revision = _transact(engine, path, revision_of)
        if revision is None:
            raise StateAbsentError(path)
        if revision != HEAD:
            msg = f"the state in {path} is of an older release; start the daemon, which migrates it"
            raise StoreUnavailableError(msg)
        yield Reader(engine, path)
    finally:
        engine.dispose()


def _require_readable(path: Path) -> None:
    """Not by opening it: that would release the locks of whoever has it open in this process.

    Source: https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    try:
        path.stat()
    except FileNotFoundError:
        raise StateAbsentError(path) from None
    except OSError as error:
        raise unavailable(path, error) from error
    if not os.access(path, os.R_OK):
        msg = f"this user may not read the state in {path}; run this as the user of the daemon"
        raise StoreUnavailableError(msg)


def _open_engine(path: Path) -> Engine:
    """Source: https://www.sqlite.org/uri.html (`mode=ro` never writes to the database)."""
    address = URL.create(
        "sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"}
    )
    return create_engine(
        address,
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_TIMEOUT_SECONDS},
    )


def _transact(engine: Engine, path: Path, work: Callable[[Connection], _T]) -> _T:
    """The result of `work`, which sees one state of the file, whatever is written meanwhile."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            return work(connection)
    except DBAPIError as error:
        raise StoreReadError(fault_of(error.orig), str(path)) from error
    except (LookupError, TypeError, ValueError) as error:
        raise StoreReadError(StoreFault.DAMAGED, str(path)) from error


def _check_all(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one() != "ok":
        msg = "quick_check found damage"
        raise ValueError(msg)
    read_state(connection)


def _count_deliveries(connection: Connection) -> Mapping[tuple[str, DeliveryState], int]:
    table = DELIVERIES.c
    query = select(table.hook, table.state, func.count()).group_by(table.hook, table.state)
    return {(hook, DeliveryState(state)): count for hook, state, count in connection.execute(query)}
