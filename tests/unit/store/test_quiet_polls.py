"""Polls that changed nothing: their times are put down at once, and written later."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from sqlalchemy import create_engine

from auditd.store.rows import Rows
from auditd.store.state import PollTimes, StoredState
from auditd.store.store import Store
from tests.unit.store.examples import START, a_project, a_snapshot

MINUTE = timedelta(minutes=1)


async def test_the_last_of_many_times_is_written(store: Store) -> None:
    await store.record_poll(a_snapshot(), [], [], [])
    for minutes in range(5):
        store.record_times(a_snapshot(at=START + minutes * MINUTE), None)
    await store.save()
    assert (await store.load()).snapshot_of(a_project()) == a_snapshot(at=START + 4 * MINUTE)


async def test_times_that_come_while_others_are_written_are_not_lost(store: Store) -> None:
    names = [f"p{number}" for number in range(200)]
    for name in names:
        await store.record_poll(a_snapshot(name), [], [], [])
    for minutes in range(1, 20):
        for name in names:
            store.record_times(a_snapshot(name, at=START + minutes * MINUTE), None)
        saving = store.save()
        for name in names[::2]:
            store.record_times(a_snapshot(name, at=START + minutes * MINUTE), None)
        await saving
    await store.save()
    state = await store.load()
    latest = {state.snapshots[name].times.attempted_at for name in names}
    assert latest == {START + 19 * MINUTE}


async def test_a_project_that_left_meanwhile_keeps_nobodys_times_from_being_written(
    store: Store,
) -> None:
    later = START + MINUTE
    for name in ("a", "b"):
        await store.record_poll(a_snapshot(name), [], [], [])
    await store.forget_project("a")
    store.record_times(a_snapshot("a", at=later), None)
    store.record_times(a_snapshot("b", at=later), None)
    await store.save()
    state = await store.load()
    assert state.snapshots.keys() == {"b"}
    assert state.snapshots["b"].times.attempted_at == later


def test_what_could_not_be_written_is_given_back_but_not_over_what_came_since() -> None:
    rows, undo = Rows(StoredState()), ExitStack()
    for name in ("a", "b"):
        rows.hold_back_times(name, PollTimes(START))
    with create_engine("sqlite://").connect() as connection:
        assert rows._take_late_times(connection, undo) == {}  # their projects are not stored
    assert not rows.are_late
    newer = PollTimes(START + MINUTE)
    rows.hold_back_times("a", newer)
    undo.close()
    assert rows._late == {"a": newer, "b": PollTimes(START)}
