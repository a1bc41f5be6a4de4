from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select

from auditd.store.batch import Work
from auditd.store.database import Database
from auditd.store.errors import (
    StoreConflictError,
    StoreFault,
    StoreReadError,
    StoreWriteError,
)
from auditd.store.schema import METADATA, SWITCHED_OFF
from auditd.store.sqlite import SqliteBacking
from auditd.store.upsert import upsert


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(SqliteBacking(path))
    await database.write(Work(METADATA.create_all))
    yield database
    await database.close()


def _insert_pair(connection: Connection, number: int) -> int:
    for half in ("a", "b"):
        upsert(connection, SWITCHED_OFF, [{"hook": f"{number}{half}", "reason": ""}])
    return number


def _insert_again(connection: Connection) -> None:
    connection.execute(SWITCHED_OFF.insert(), {"hook": "1a", "reason": ""})


def _count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(SWITCHED_OFF)).scalar_one()


def _fail(connection: Connection) -> None:
    _insert_pair(connection, 100)
    raise ZeroDivisionError


def _pragma(setting: str) -> Callable[[Connection], object]:
    return lambda connection: connection.exec_driver_sql(f"PRAGMA {setting}")


def _pair(number: int, memory: set[int] | None = None) -> Work:
    known = set() if memory is None else memory

    def insert(connection: Connection) -> int:
        known.add(number)
        return _insert_pair(connection, number)

    return Work(insert, undo=partial(known.discard, number))


async def _together(database: Database, *works: Work) -> list[Any]:
    """What becomes of works that are asked for at once, so that they share a transaction."""
    return await asyncio.gather(*map(database.write, works), return_exceptions=True)


@contextmanager
def _commits(database: Database) -> Iterator[list[None]]:
    seen: list[None] = []
    engine = database.backing.writes
    event.listen(engine, "commit", note := lambda _: seen.append(None))
    yield seen
    event.remove(engine, "commit", note)


async def test_works_that_wait_together_share_a_commit(database: Database) -> None:
    with _commits(database) as commits:
        assert await _together(database, *map(_pair, range(50))) == list(range(50))
    assert len(commits) == 1
    assert await database.read(_count) == 100


async def test_works_are_done_in_the_order_in_which_they_were_asked_for(
    database: Database,
) -> None:
    done: list[int] = []

    async def write(number: int) -> None:
        await database.write(Work(lambda _: done.append(number)))

    async def read(number: int) -> None:
        await database.read(lambda _: done.append(number))

    async with asyncio.TaskGroup() as group:
        for number in range(40):
            group.create_task(read(number) if number % 7 == 3 else write(number))
    assert done == list(range(40))


async def test_a_transaction_that_takes_long_leaves_the_rest_to_the_next(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.store.batch.LONGEST_SECONDS", 0.0)
    with _commits(database) as commits:
        assert await _together(database, *map(_pair, range(5))) == list(range(5))
    assert len(commits) == 5
    assert await asyncio.gather(*[database.read(_count) for _ in range(3)]) == [10, 10, 10]


async def test_a_work_that_raises_undoes_only_itself(database: Database) -> None:
    memory: set[int] = set()

    def fail(connection: Connection) -> None:
        memory.add(100)
        _fail(connection)

    failing = Work(fail, undo=partial(memory.discard, 100))
    results = await _together(database, _pair(1, memory), failing, _pair(2, memory))
    assert results[0::2] == [1, 2]
    assert isinstance(results[1], ZeroDivisionError)
    assert memory == {1, 2}
    assert await database.read(_count) == 4
    assert database.is_writable


async def test_a_conflict_is_told_to_the_one_who_made_it(database: Database) -> None:
    results = await _together(database, _pair(1), Work(_insert_again), _pair(2))
    assert results[0::2] == [1, 2]
    assert isinstance(results[1], StoreConflictError)


async def test_what_the_database_cannot_do_at_all_is_told_to_all_and_undone(
    database: Database,
) -> None:
    memory: set[int] = set()
    read_only = Work(_pragma("query_only = ON"))
    quiet = Work(_fail, unless=lambda: True)
    results = await _together(database, _pair(1, memory), read_only, quiet, _pair(2, memory))
    failures = [results[0], results[1], results[3]]
    assert {type(failure) for failure in failures} == {StoreWriteError}
    assert len({id(failure) for failure in failures}) == 3
    assert results[2] is None
    assert memory == set()
    assert database.fault is StoreFault.READ_ONLY
    await database.read(_pragma("query_only = OFF"))
    assert await database.read(_count) == 0


async def test_a_commit_that_fails_is_told_to_all_and_undone(database: Database) -> None:
    memory: set[int] = set()

    def break_off(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        orphan = "INSERT INTO polls (project, failures_in_a_row) VALUES ('p', 0)"
        connection.exec_driver_sql(orphan)

    results = await _together(database, _pair(1, memory), Work(break_off), _pair(2, memory))
    assert {type(result) for result in results} == {StoreConflictError}
    assert memory == set()
    assert await database.read(_count) == 0


async def test_whether_there_is_anything_to_do_is_asked_after_the_works_before(
    database: Database,
) -> None:
    stored: list[int] = []
    first = Work(lambda _: stored.append(1))
    second = Work(lambda _: stored.append(2), unless=lambda: bool(stored))
    third = Work(lambda _: stored.append(3), unless=lambda: 2 in stored)
    assert await _together(database, first, second, third) == [None, None, None]
    assert stored == [1, 3]


async def test_where_there_is_nothing_to_do_the_thread_is_not_asked(database: Database) -> None:
    asking = asyncio.create_task(database.write(Work(_fail, unless=lambda: True)))
    await asyncio.sleep(0)
    assert asking.done()


async def test_whoever_is_cancelled_left_all_or_nothing_and_memory_knows_which(
    database: Database,
) -> None:
    stored: set[int] = set()
    for number in range(100):
        other = asyncio.create_task(database.write(Work(lambda _: None)))
        task = asyncio.create_task(database.write(_pair(number, stored)))
        for _ in range(number % 25):
            await asyncio.sleep(0)
        task.cancel()
        task.cancel()
        await asyncio.wait({task, other})
        assert await database.read(_count) == 2 * len(stored)
    assert stored
    assert len(stored) < 100


async def test_whoever_is_cancelled_before_his_work_was_reached_has_done_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.store.batch.LONGEST_SECONDS", 0.0)
    tasks = [asyncio.create_task(database.write(_pair(number))) for number in range(3)]
    for _ in range(3):  # the first is under way, and the loop has not heard of its end
        await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [False, True, False]
    assert await database.read(_count) == 4


async def test_whoever_is_cancelled_while_others_are_under_way_has_done_nothing(
    database: Database,
) -> None:
    under_way = asyncio.create_task(database.write(_pair(1)))
    for _ in range(2):
        await asyncio.sleep(0)
    waiting = asyncio.create_task(database.write(_pair(2)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert waiting.cancelled()
    assert await under_way == 1
    assert await database.read(_count) == 2


async def test_a_loop_that_ends_finishes_what_is_under_way_and_drops_the_rest(
    path: Path,
) -> None:
    database = Database(SqliteBacking(path))
    await database.write(Work(METADATA.create_all))
    under_way = asyncio.create_task(database.write(_pair(1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting = asyncio.create_task(database.read(_count))
    await asyncio.sleep(0)
    assert database._runner
    database._runner.cancel()
    await asyncio.wait({under_way, waiting})
    assert under_way.result() == 1
    assert waiting.cancelled()
    assert await database.read(_count) == 2
    await database.close()


async def test_nothing_is_done_after_the_end(path: Path) -> None:
    database = Database(SqliteBacking(path))
    await database.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        await database.write(_pair(1))


async def test_what_raises_alone_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await database.write(Work(_fail))
    assert await database.read(_count) == 0
    assert database.is_writable


async def test_after_a_begin_that_failed_transactions_are_whole_again(
    database: Database,
) -> None:
    await database.read(_pragma("query_only = ON"))
    with pytest.raises(StoreWriteError):
        await database.write(_pair(1))
    await database.read(_pragma("query_only = OFF"))
    with pytest.raises(ZeroDivisionError):
        await database.write(Work(_fail))
    assert await database.read(_count) == 0


async def test_a_write_that_fails_is_a_fault_until_one_succeeds(database: Database) -> None:
    def fail(connection: Connection) -> None:
        _insert_pair(connection, 1)
        connection.exec_driver_sql("PRAGMA query_only = ON")
        _insert_pair(connection, 2)

    with pytest.raises(StoreWriteError, match="read-only") as failure:
        await database.write(Work(fail))
    assert failure.value.reason is StoreFault.READ_ONLY
    assert database.fault is StoreFault.READ_ONLY
    assert await database.read(_count) == 0
    await database.write(Work(lambda _: None))
    assert not database.is_writable
    await database.read(_pragma("query_only = OFF"))
    await database.write(_pair(1))
    assert database.is_writable


async def test_a_read_that_fails_says_why(database: Database) -> None:
    with pytest.raises(StoreReadError, match="report it") as failure:
        await database.read(lambda connection: connection.exec_driver_sql("nonsense"))
    assert failure.value.reason is StoreFault.INTERNAL
    assert database.is_writable


async def test_what_a_read_raises_is_the_callers(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await database.read(lambda _: 1 // 0)


def _put_off(numbers: list[int], number: int, at_last: Callable[[Connection], None]) -> Work:
    """A work that only notes what is to be done at last."""

    def note(_: Connection) -> int:
        numbers.append(number)
        return number

    return Work(note, put_off=at_last, undo=numbers.clear)


async def test_what_is_put_off_is_done_once_for_works_in_a_row_and_before_others(
    database: Database,
) -> None:
    noted: list[int] = []
    done: list[object] = []

    def at_last(connection: Connection) -> None:
        done.append([*noted])
        for number in noted:
            _insert_pair(connection, number)
        noted.clear()

    one, two, four = (_put_off(noted, number, at_last) for number in (1, 2, 4))
    between = Work(lambda connection: done.append(_count(connection)))
    assert await _together(database, one, two, between, four) == [1, 2, None, 4]
    assert done == [[1, 2], 4, [4]]
    assert await database.read(_count) == 6


async def test_when_it_fails_at_last_each_work_is_done_alone(database: Database) -> None:
    noted: list[int] = []

    def at_last(connection: Connection) -> None:
        for number in noted:
            _insert_pair(connection, number)
        noted.clear()

    bad = Work(lambda _: None, put_off=lambda _: _fail_plainly())
    one, two = (_put_off(noted, number, at_last) for number in (1, 2))
    results = await _together(database, one, bad, two)
    assert results[0::2] == [1, 2]
    assert isinstance(results[1], ZeroDivisionError)
    assert await database.read(_count) == 4


def _fail_plainly() -> None:
    raise ZeroDivisionError
