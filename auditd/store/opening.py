"""Opens the store, and closes it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import URL, Connection

from auditd.store.address import is_server, parse_url
from auditd.store.backing import Backing
from auditd.store.backup import Backups, Copies, NoCopies
from auditd.store.database import Database
from auditd.store.errors import StoreWriteError
from auditd.store.keeper import keep
from auditd.store.lock import held
from auditd.store.postgresql import PostgresqlBacking
from auditd.store.preparation import Preparation, StoreOpening, unavailable
from auditd.store.server import prepare_server
from auditd.store.sqlite import SqliteBacking, sqlite_path
from auditd.store.state import StoredState
from auditd.store.store import Store


@asynccontextmanager
async def open_store(
    url: str,
    *,
    now: Callable[[], datetime],
    retention: timedelta,
    backup_every: timedelta = timedelta(hours=1),
    keep_backups: int = 24,
    replica: str | None = None,
    prepare: Callable[[Connection], None] = lambda _: None,
) -> AsyncIterator[Store]:
    """The store at `url` until the block ends: for one process at a time, or for one replica.

    An older schema is brought up to ours. For a file a missing directory is made (0700). A damaged
    file is set aside and replaced by the newest good backup, or by an empty state: `opening` of
    the store says so. Backups are made beside the file, also before its schema is changed, and
    the `keep_backups` newest are kept. Those who run a server make their own.

    Args:
        url: `sqlite:////absolute/path` or `postgresql://user@host/database`.
        now: the wall clock, aware and UTC.
        retention: how long settled deliveries, the trail and what is over are kept.
        backup_every: how old the newest backup gets.
        keep_backups: at least 1.
        replica: the unique name of this process. On a server, others that have one may open the
            same store meanwhile; a file is for one process in any case.
        prepare: brings up to date what others keep in the database of a server, in the
            transaction of our own migrations.

    Raises:
        StoreHeldError: another process has it.
        StoreUnavailableError: it cannot be opened, or was written by a newer release.
    """
    address = parse_url(url)
    preparing = (
        _server(address, replica, prepare)
        if is_server(address)
        else _file(sqlite_path(url), keep_backups, now())
    )
    async with AsyncExitStack() as opened:
        ground = await asyncio.to_thread(opened.enter_context, preparing)
        database = Database(ground.backing)
        opened.push_async_callback(database.close)
        store = Store(
            database=database,
            backups=ground.copies,
            opening=ground.opening,
            found=ground.found,
            now=now,
            retention=retention,
            backup_every=backup_every,
        )
        await opened.enter_async_context(_kept(store))
        yield store


@dataclass(frozen=True, slots=True)
class _Ground:
    """A database that can be used, and what is known of it."""

    backing: Backing
    copies: Copies
    opening: StoreOpening
    found: StoredState


@contextmanager
def _file(path: Path, keep_backups: int, at: datetime) -> Iterator[_Ground]:
    """Blocks, but not at its end."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unavailable(path, error) from error
    with held(path):
        backups = Backups(path, keep_backups)
        yield _Ground(SqliteBacking(path), backups, *Preparation(path, backups, at).run())


@contextmanager
def _server(
    address: URL, replica: str | None, prepare: Callable[[Connection], None]
) -> Iterator[_Ground]:
    """Blocks, but not at its end. The hold on the server ends with the connection."""
    backing = PostgresqlBacking(address, is_exclusive=replica is None, replica=replica)
    try:
        opening, found = prepare_server(backing, prepare)
        if replica:
            backing.number_revisions(replica, found.number)
    except BaseException:
        backing.writes.dispose()
        raise
    yield _Ground(backing, NoCopies(), opening, found)


@asynccontextmanager
async def _kept(store: Store) -> AsyncIterator[None]:
    task = asyncio.create_task(keep(store), name="store-keeper")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        with suppress(StoreWriteError):  # only the times of the last few quiet polls are lost
            await store.save()
