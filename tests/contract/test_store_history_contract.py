"""What every store promises of the past, whatever database is behind it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.audit.failure import FailureReason
from auditd.audit.history import HistoryEntry
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store.errors import StoreConflictError
from auditd.store.store import Store
from tests.unit.store.examples import (
    RETENTION,
    START,
    Clock,
    Reopen,
    a_delivery,
    a_group,
    a_project,
    a_snapshot,
    an_authorization,
    failed,
)

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def kinds(entries: tuple[HistoryEntry, ...]) -> list[str]:
    return [str(entry.kind) for entry in entries]


async def poll(store: Store, snapshot: ProjectSnapshot) -> None:
    await store.record_poll(snapshot, [], [], [])


async def test_what_a_poll_changed_is_there_newest_first(reopen: Reopen) -> None:
    async with reopen() as store:
        await poll(store, a_snapshot())
        await poll(store, failed(a_snapshot(), START + MINUTE))
    async with reopen() as store:
        await poll(store, a_snapshot(at=START + 2 * MINUTE, user="y"))
        changed, recovered, in_vain, flagged, added = await store.history("payments")
    assert kinds((added, flagged, in_vain, recovered, changed)) == [
        "authorization.added",
        "finding.flagged",
        "polls.failed",
        "polls.recovered",
        "authorization.changed",
    ]
    assert added.seq < flagged.seq < in_vain.seq < recovered.seq < changed.seq
    assert (added.listed, added.at) == (an_authorization(user="x"), START)
    assert flagged.finding == a_snapshot().findings[0]
    assert in_vain.reason is FailureReason.TIMEOUT
    assert (changed.listed, changed.fields) == (an_authorization(user="y"), ("repo_user",))
    assert {entry.project for entry in (added, changed)} == {"payments"}


async def test_a_poll_that_changed_nothing_enters_nothing(store: Store) -> None:
    await poll(store, a_snapshot())
    before = await store.history("payments")
    await poll(store, a_snapshot(at=START + MINUTE))
    reworded = replace(a_snapshot().findings[0], summary="in other words")
    await poll(store, replace(a_snapshot(at=START + 2 * MINUTE), findings=(reworded,)))
    await store.save()
    assert await store.history("payments") == before


async def test_one_page_follows_on_another(store: Store) -> None:
    for user in "abcdef":
        await poll(store, a_snapshot(user=user))
    await poll(store, a_snapshot("other"))
    whole = await store.history("payments")
    assert len(whole) == 7
    page = await store.history("payments", limit=3)
    assert page == whole[:3]
    assert await store.history("payments", before=page[-1].seq) == whole[3:]


async def test_entries_are_chosen_by_authorization_and_instant(store: Store) -> None:
    later = START + MINUTE
    other = replace(an_authorization(), name="other")
    await poll(store, a_snapshot())
    await poll(
        store,
        replace(
            a_snapshot(at=later),
            authorizations={"main": an_authorization(user="x"), "other": other},
            findings=(),
        ),
    )
    await poll(store, failed(a_snapshot(at=later), later + MINUTE))
    of_main = await store.history("payments", authorization="main")
    assert {entry.authorization for entry in of_main} == {"main"}
    (added,) = await store.history("payments", authorization="other", limit=1, since=START)
    assert added.at == later + MINUTE
    since = await store.history("payments", since=later)
    assert {entry.at for entry in since} == {later, later + MINUTE}
    assert await store.history("payments", since=later + 2 * MINUTE) == ()
    assert await store.history("payments", authorization="") != ()


async def test_a_project_that_left_is_remembered(store: Store, clock: Clock) -> None:
    await poll(store, a_snapshot())
    await poll(store, failed(a_snapshot(), START + MINUTE))
    at = clock.move(DAY)
    await store.forget_project("payments")
    await store.forget_project("payments")
    cleared, removed = await store.history("payments", since=at)
    assert kinds((removed, cleared)) == ["authorization.removed", "finding.cleared"]
    assert (removed.listed, removed.at) == (an_authorization(user="x"), at)
    assert cleared.finding == a_snapshot().findings[0]
    await poll(store, a_snapshot(at=at + MINUTE))
    assert kinds(await store.history("payments", since=at + MINUTE)) == [
        "finding.flagged",
        "authorization.added",
    ]


async def test_another_project_of_the_same_name_begins_anew(store: Store, clock: Clock) -> None:
    await poll(store, a_snapshot())
    at = clock.move(DAY)
    await poll(store, replace(a_snapshot(at=at), project=a_project(project_id="4567")))
    flagged, added, cleared, removed, *_ = await store.history("payments")
    assert kinds((removed, cleared, added, flagged)) == [
        "authorization.removed",
        "finding.cleared",
        "authorization.added",
        "finding.flagged",
    ]


async def test_what_still_stands_is_not_forgotten_however_old(store: Store, clock: Clock) -> None:
    both = {name: replace(an_authorization(), name=name) for name in ("main", "other")}
    await poll(store, replace(a_snapshot(), authorizations=both))
    changed = {**both, "other": replace(both["other"], tag="x")}
    at = clock.move(DAY)
    await poll(store, replace(a_snapshot(at=at), authorizations=changed))
    at = clock.move(DAY)
    await poll(store, replace(a_snapshot(at=at), authorizations=both, findings=()))
    await poll(store, a_snapshot("gone"))
    await store.forget_project("gone")

    clock.move(RETENTION - DAY)
    await store.prune()
    assert len(await store.history("payments")) == 6
    clock.move(timedelta(microseconds=1))
    await store.prune()
    assert [
        (entry.authorization, str(entry.kind)) for entry in await store.history("payments")
    ] == [
        ("main", "finding.cleared"),
        ("other", "authorization.changed"),
        ("other", "authorization.changed"),  # it stood until a day after the retention's edge
        ("main", "finding.flagged"),
        ("main", "authorization.added"),
    ]
    clock.move(DAY)
    await store.prune()
    assert [
        (entry.authorization, str(entry.kind)) for entry in await store.history("payments")
    ] == [
        ("other", "authorization.changed"),
        ("main", "authorization.added"),
    ]
    assert await store.history("gone") == ()


async def test_the_past_is_written_with_the_poll_or_not_at_all(store: Store) -> None:
    """A poll that shares a transaction with a call that fails, and one that fails itself."""
    await store.record_flush(a_group("a"), a_delivery("d1", "a"))
    results = await asyncio.gather(
        poll(store, a_snapshot()),
        store.record_flush(a_group("a"), a_delivery("d2", "a")),
        poll(store, a_snapshot(user="y")),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), StoreConflictError, type(None)]
    assert kinds(await store.history("payments")) == [
        "authorization.changed",
        "finding.flagged",
        "authorization.added",
    ]


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(days=1)])
async def test_a_step_of_the_clock_breaks_no_order(store: Store, step: timedelta) -> None:
    await poll(store, a_snapshot())
    await poll(store, a_snapshot(at=START + step, user="y"))
    await poll(store, a_snapshot(at=START + step + MINUTE, user="z"))
    users = [entry.listed.repo_user for entry in await store.history("payments") if entry.listed]
    assert users == ["z", "y", "x"]
