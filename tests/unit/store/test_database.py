from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from auditd.store.database import Database
from auditd.store.errors import StoreFault, StoreReadError, StoreWriteError
from auditd.store.schema import METADATA, SWITCHED_OFF, upsert
from auditd.store.sqlite import open_async_engine


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(open_async_engine(path), path)
    await database.write(METADATA.create_all, lambda _: None)
    yield database
    await database.close()


def _insert_pair(connection: Connection, number: int) -> int:
    for half in ("a", "b"):
        upsert(connection, SWITCHED_OFF, [{"hook": f"{number}{half}", "reason": ""}])
    return number


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(SWITCHED_OFF)).scalar_one()


async def test_whoever_is_cancelled_left_all_or_nothing_and_knows_which(
    database: Database,
) -> None:
    stored: list[int] = []
    for number in range(100):
        task = asyncio.create_task(
            database.write(partial(_insert_pair, number=number), stored.append)
        )
        for _ in range(number % 25):
            await asyncio.sleep(0)
        task.cancel()
        task.cancel()
        await asyncio.wait({task})
        assert await database.read(_count) == 2 * len(stored)
    assert stored
    assert len(stored) < 100


async def test_transactions_keep_the_order_in_which_they_were_asked_for(
    database: Database,
) -> None:
    stored: list[int] = []
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(database.write(partial(_insert_pair, number=number), stored.append))
    assert stored == list(range(20))


async def test_what_raises_leaves_nothing(database: Database) -> None:
    def work(connection: Connection) -> None:
        _insert_pair(connection, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work, lambda _: None)
    assert await database.read(_count) == 0
    assert database.is_writable


async def test_after_a_begin_that_failed_transactions_are_whole_again(
    database: Database,
) -> None:
    def fail(connection: Connection) -> None:
        _insert_pair(connection, 1)
        raise ZeroDivisionError

    await database.read(lambda connection: connection.exec_driver_sql("PRAGMA query_only = ON"))
    with pytest.raises(StoreWriteError):
        await database.write(lambda connection: _insert_pair(connection, 1), lambda _: None)
    await database.read(lambda connection: connection.exec_driver_sql("PRAGMA query_only = OFF"))
    with pytest.raises(ZeroDivisionError):
        await database.write(fail, lambda _: None)
    assert await database.read(_count) == 0


async def test_a_write_that_fails_is_a_fault_until_one_succeeds(database: Database) -> None:
    def fail(connection: Connection) -> None:
        _insert_pair(connection, 1)
        connection.exec_driver_sql("PRAGMA query_only = ON")
        _insert_pair(connection, 2)

    with pytest.raises(StoreWriteError, match="read-only") as failure:
        await database.write(fail, lambda _: None)
    assert failure.value.reason is StoreFault.READ_ONLY
    assert database.fault is StoreFault.READ_ONLY
    assert await database.read(_count) == 0
    await database.write(lambda _: None, lambda _: None)
    assert not database.is_writable
    await database.read(lambda c: c.exec_driver_sql("PRAGMA query_only = OFF"))
    await database.write(lambda c: _insert_pair(c, 1), lambda _: None)
    assert database.is_writable


async def test_a_read_that_fails_says_why(database: Database) -> None:
    with pytest.raises(StoreReadError, match="report it") as failure:
        await database.read(lambda connection: connection.exec_driver_sql("nonsense"))
    assert failure.value.reason is StoreFault.INTERNAL
    assert database.is_writable
