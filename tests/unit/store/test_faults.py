"""What happens when the disk does not take what the daemon has to say."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditd.store.errors import StoreError, StoreFault, StoreWriteError
from auditd.store.store import Store
from tests.unit.store.examples import (
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_snapshot,
    opened,
)


@dataclass(frozen=True)
class SmallDisk:
    """A directory in which a few MiB fit, until `grow` is called."""

    directory: Path
    grow: Callable[[], object]
    fault: StoreFault


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A real small disk if we may mount one, else a limit on the size of each file."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(tmp_path)]
    if (
        os.geteuid() == 0
        and subprocess.run(mount, check=False, capture_output=True).returncode == 0
    ):
        grow = ["mount", "-o", "remount,size=64m", str(tmp_path)]
        yield SmallDisk(tmp_path, lambda: subprocess.run(grow, check=True), StoreFault.FULL)
        subprocess.run(["umount", str(tmp_path)], check=True)
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        yield SmallDisk(
            tmp_path,
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard)),
            StoreFault.IO,
        )
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def _fill(store: Store) -> int:
    """How many polls were stored until one could not be."""
    for number in range(10_000):
        snapshot = a_snapshot(f"p{number}", user="x" * 20_000)
        try:
            await store.record_poll(snapshot, [], [], [])
        except StoreWriteError:
            return number
    pytest.fail("the disk is not small")


async def test_a_full_disk_stops_writes_only_and_only_while_it_is_full(
    small_disk: SmallDisk, clock: Clock
) -> None:
    path = small_disk.directory / "state.db"
    async with opened(path, clock) as store:
        await store.record_flush(a_group("ops:{}", "f"), a_delivery())
        stored = await _fill(store)
        assert stored > 10
        assert not store.is_writable
        assert store.fault is small_disk.fault
        assert await store.deliveries() == (a_delivery(),)
        with suppress(StoreError):  # no space for a copy either
            await store.backup()
        small_disk.grow()
        await store.save()
        assert store.is_writable
        await store.record_poll(a_snapshot(), [], [], [])
        assert (await store.verify()).ok
    async with opened(path, clock) as store:
        state = await store.load()
        assert len(state.snapshots) == stored + 1
        assert state.pending == (a_delivery(),)


async def test_a_disk_that_stays_full_loses_nothing_that_was_stored(
    small_disk: SmallDisk, clock: Clock
) -> None:
    path = small_disk.directory / "state.db"
    async with opened(path, clock) as store:
        stored = await _fill(store)
        for _ in range(3):
            with pytest.raises(StoreWriteError):
                await _fail(store)
    small_disk.grow()
    async with opened(path, clock) as store:
        assert len((await store.load()).snapshots) == stored


async def _fail(store: Store) -> None:
    await store.record_poll(a_snapshot("big", user="x" * 2_000_000), [], [], [])


async def test_a_backup_that_finds_no_space_stops_no_deliveries(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(28, "No space left on device")

    async with opened(path, clock) as store:
        monkeypatch.setattr("auditd.store.backup.sync", refuse)
        with pytest.raises(StoreWriteError, match="a copy of") as failure:
            await store.backup()
        assert failure.value.reason is StoreFault.FULL
        assert store.is_writable


async def test_a_read_only_file_is_noticed_and_its_end_too(path: Path, clock: Clock) -> None:
    async with opened(path, clock) as store:
        await store.record_poll(a_snapshot(), [], [], [])
        await _pragma(store, "query_only = ON")
        with pytest.raises(StoreWriteError) as failure:
            await store.record_poll(a_snapshot(user="y"), [], [], [])
        assert failure.value.reason is StoreFault.READ_ONLY
        with pytest.raises(StoreWriteError):
            await store.save()
        assert (await store.load()).snapshot_of(a_project()) == a_snapshot()
        await _pragma(store, "query_only = OFF")
        await store.save()
        assert store.is_writable
        await store.record_poll(a_snapshot(user="y"), [], [], [])
        assert (await store.load()).snapshot_of(a_project()) == a_snapshot(user="y")


async def _pragma(store: Store, pragma: str) -> None:
    await store._database.read(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}"))
