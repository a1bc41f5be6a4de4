"""What is written, and what is not: the file tells."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from auditd.store.errors import StoreConflictError, StoreWriteError
from auditd.store.store import Store
from tests.unit.store.examples import (
    START,
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_snapshot,
    an_alert,
    failed,
    opened,
)

MINUTE = timedelta(minutes=1)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that any engine runs within the block."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement.partition("(")[0].strip())

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_a_poll_that_changed_only_times_runs_no_statement(store: Store) -> None:
    group = a_group("ops:{}", "f")
    await store.record_poll(a_snapshot(), [an_alert()], [], [group])
    later = START + MINUTE
    with statements() as seen:
        await store.record_poll(a_snapshot(at=later), [an_alert(at=later)], [], [group])
    assert seen == []


async def test_that_holds_after_a_restart_too(path: Path, clock: Clock) -> None:
    group = a_group("ops:{}", "f")
    async with opened(path, clock) as store:
        await store.record_poll(a_snapshot(), [an_alert()], [], [group])
    async with opened(path, clock) as store:
        later = START + MINUTE
        with statements() as seen:
            await store.record_poll(a_snapshot(at=later), [an_alert(at=later)], [], [group])
        assert seen == []


async def test_one_more_failure_in_a_row_runs_no_statement(store: Store) -> None:
    first = failed(a_snapshot(), START + MINUTE)
    await store.record_poll(first, [an_alert()], [], [])
    second = failed(first, START + 2 * MINUTE)
    with statements() as seen:
        await store.record_poll(second, [an_alert()], [], [])
    assert seen == []
    await store.save()
    assert (await store.load()).snapshot_of(a_project()) == second


async def test_times_of_quiet_polls_are_written_with_the_next_change(store: Store) -> None:
    later = START + MINUTE
    await store.record_poll(a_snapshot("a"), [], [], [])
    await store.record_poll(a_snapshot("a", at=later), [], [], [])
    with statements() as seen:
        await store.record_poll(a_snapshot("b", at=later), [], [], [])
    assert "INSERT INTO polls" in seen
    state = await store.load()
    assert state.snapshot_of(a_project("a")) == a_snapshot("a", at=later)
    with statements() as seen:
        await store.save()
    assert seen == []


async def test_of_many_alerts_only_the_changed_one_is_written(store: Store) -> None:
    alerts = [an_alert(name=f"a{number}") for number in range(5)]
    await store.record_poll(a_snapshot(), alerts, [], [])
    alerts[2] = replace(alerts[2], missing_since=START)
    with statements() as seen:
        await store.record_poll(a_snapshot(), alerts, [], [])
    assert seen == ["BEGIN IMMEDIATE", "INSERT INTO alerts", "INSERT INTO polls"]


async def test_a_transaction_that_failed_is_made_up_for_by_the_next_poll(store: Store) -> None:
    await store.record_flush(a_group("ops:{}", "f"), a_delivery())
    fresh = a_group("ops:{}", "f", "g")
    with pytest.raises(StoreConflictError):
        await store.record_flush(fresh, a_delivery("d2"))
    await store.record_poll(a_snapshot(), [], [], [fresh])
    assert (await store.load()).groups == {"ops:{}": fresh}


async def test_what_differs_is_told_by_the_calls_that_are_written_with_it(
    path: Path, clock: Clock
) -> None:
    """The calls of one transaction go by each other and not by what was stored before it."""
    before, between = a_group("ops:{}", "f"), a_group("ops:{}", "f", "g")
    alert, later = an_alert(), START + MINUTE
    async with opened(path, clock) as store:
        await store.record_poll(a_snapshot(), [alert], [], [before])
        await asyncio.gather(
            store.record_poll(a_snapshot(user="y"), [], [], [between]),
            store.record_poll(a_snapshot(at=later), [alert], [], [before]),
            store.record_poll(a_snapshot(at=later + MINUTE), [alert], [], [before]),
            store.forget_project("q"),
            store.record_poll(a_snapshot("q"), [], [], []),
            store.record_poll(a_snapshot("q", at=later), [], [], []),
        )
    async with opened(path, clock) as store:
        state = await store.load()
        assert state.snapshot_of(a_project()) == a_snapshot(at=later + MINUTE)
        assert state.snapshot_of(a_project("q")) == a_snapshot("q", at=later)
        assert state.alerts["payments"] == (alert,)
        assert state.groups == {before.key: before}


async def test_a_transaction_of_many_that_failed_is_made_up_for_as_well(store: Store) -> None:
    """Also what each of its calls took for stored by the ones before it."""
    group, later = a_group("ops:{}", "f"), START + MINUTE
    await store.record_poll(a_snapshot(), [an_alert()], [], [group])
    await store.record_poll(a_snapshot("q"), [], [], [])
    await _pragma(store, "query_only = ON")
    results = await asyncio.gather(
        store.record_poll(a_snapshot(user="y"), [], [], [replace(group, members={})]),
        store.record_poll(a_snapshot(at=later, user="y"), [], [], []),
        store.record_poll(a_snapshot("new"), [], [], []),
        store.record_poll(a_snapshot("new", at=later), [], [], []),
        store.record_poll(a_snapshot("q", at=later), [], [], []),
        store.forget_project("q"),
        return_exceptions=True,
    )
    assert [isinstance(result, StoreWriteError) for result in results] == [
        *(True, True, True, True),
        False,  # as quiet as before, so its times are held back
        True,
    ]
    await _pragma(store, "query_only = OFF")
    await store.save()
    assert (await store.load()).snapshot_of(a_project("q")) == a_snapshot("q", at=later)
    await store.record_poll(a_snapshot(at=later, user="y"), [], [], [replace(group, members={})])
    await store.record_poll(a_snapshot("new", at=later), [], [], [])
    state = await store.load()
    assert state.snapshot_of(a_project()) == a_snapshot(at=later, user="y")
    assert state.snapshot_of(a_project("new")) == a_snapshot("new", at=later)
    assert (state.alerts, state.groups) == ({}, {})


async def _pragma(store: Store, pragma: str) -> None:
    await store._database.read(lambda connection: connection.exec_driver_sql(f"PRAGMA {pragma}"))


async def test_times_of_a_project_that_left_are_not_written(store: Store) -> None:
    await store.record_poll(a_snapshot(), [], [], [])
    await store.record_poll(a_snapshot(at=START + MINUTE), [], [], [])
    await store.forget_project("payments")
    with statements() as seen:
        await store.save()
    assert seen == []
