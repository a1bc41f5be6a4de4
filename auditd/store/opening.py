"""Opens the store, and closes it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from auditd.store.backup import Backups
from auditd.store.database import Database
from auditd.store.errors import StoreWriteError
from auditd.store.keeper import keep
from auditd.store.lock import held
from auditd.store.preparation import Preparation, unavailable
from auditd.store.sqlite import open_async_engine, sqlite_path
from auditd.store.store import Store


@asynccontextmanager
async def open_store(
    url: str,
    *,
    now: Callable[[], datetime],
    retention: timedelta,
    backup_every: timedelta = timedelta(hours=1),
    keep_backups: int = 24,
) -> AsyncIterator[Store]:
    """The store at `url`, for one process at a time, until the block ends.

    A missing directory is made (0700). A damaged file is set aside and replaced by the newest
    good backup, or by an empty state: `opening` of the store says so. An older schema is brought
    up to ours, after a backup. Backups are beside the file; the `keep_backups` newest are kept.

    Args:
        url: `sqlite:////absolute/path`.
        now: the wall clock, aware and UTC.
        retention: how long settled deliveries and the trail are kept.
        backup_every: how old the newest backup gets.
        keep_backups: at least 1.

    Raises:
        StoreHeldError: another process has it.
        StoreUnavailableError: it cannot be opened, or was written by a newer release.
    """
    path = sqlite_path(url)
    backups = Backups(path, keep_backups)
    async with AsyncExitStack() as opened:
        await asyncio.to_thread(_make_directory, path)
        await asyncio.to_thread(opened.enter_context, held(path))
        opening, found = await asyncio.to_thread(Preparation(path, backups, now()).run)
        database = Database(open_async_engine(path), path)
        opened.push_async_callback(database.close)
        store = Store(
            database=database,
            backups=backups,
            opening=opening,
            found=found,
            now=now,
            retention=retention,
            backup_every=backup_every,
        )
        await opened.enter_async_context(_kept(store))
        yield store


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


def _make_directory(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unavailable(path, error) from error
