"""What two replicas on one server may rely on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import TypeAlias

import psycopg
import pytest
from sqlalchemy import Connection

from auditd.alerting.delivery import DeliveryState
from auditd.alerting.superseded import SupersededError
from auditd.store.errors import StoreFault, StoreHeldError, StoreWriteError
from auditd.store.opening import open_store
from auditd.store.replicas import Replicas
from auditd.store.revisions import HALT_SECONDS
from auditd.store.store import Store
from tests.unit.store.examples import (
    RETENTION,
    START,
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_silence,
    a_snapshot,
    an_acknowledgement,
    an_alert,
)

Join: TypeAlias = Callable[[str], AbstractAsyncContextManager[Store]]
GROUP = a_group("ops:{}", an_alert().fingerprint)
NOBODY: frozenset[str] = frozenset()
SLOT = (START, START + timedelta(minutes=10))


@pytest.fixture
def join(postgres: str, clock: Clock) -> Join:
    return lambda name: open_store(postgres, now=clock, retention=RETENTION, replica=name)


@pytest.fixture
async def one(join: Join) -> AsyncIterator[Store]:
    async with join("one") as store:
        yield store


@pytest.fixture
async def two(join: Join, one: Store) -> AsyncIterator[Store]:
    async with join("two") as store:
        yield store


def shared(store: Store) -> Replicas:
    assert store.replicas
    return store.replicas


async def test_a_poll_of_one_becomes_known_to_the_other(one: Store, two: Store) -> None:
    alert = an_alert()
    await one.record_poll(a_snapshot(), [alert], [], [GROUP])
    news = await shared(two).catch_up(NOBODY)
    stored = news.snapshots["payments"]
    assert stored
    assert stored.of(a_project()) == a_snapshot()
    assert news.alerts["payments"] == (alert,)
    assert news.groups == {GROUP.key: GROUP}
    assert not await shared(two).catch_up(NOBODY)


async def test_quiet_polls_are_known_by_their_times_alone(one: Store, two: Store) -> None:
    await one.record_poll(a_snapshot(), [], [], [])
    await shared(two).catch_up(NOBODY)
    later = START + timedelta(minutes=5)
    one.record_times(replace(a_snapshot(), attempted_at=later), None)
    await one.save()
    news = await shared(two).catch_up(NOBODY)
    assert not news.snapshots
    assert news.times["payments"].attempted_at == later


async def test_what_another_changed_meanwhile_is_not_overwritten(one: Store, two: Store) -> None:
    await one.record_poll(a_snapshot(), [], [], [])
    mine = replace(a_snapshot(), authorizations={})
    with pytest.raises(SupersededError):
        await two.record_poll(mine, [], [], [])
    await shared(two).catch_up(NOBODY)
    await two.record_poll(mine, [], [], [])
    assert (await one.history("payments"))[0].kind == "authorization.removed"


async def test_a_superseded_work_undoes_none_of_its_batch(one: Store, two: Store) -> None:
    await one.record_poll(a_snapshot(), [], [], [])
    superseded, other = await asyncio.gather(
        two.record_poll(replace(a_snapshot(), authorizations={}), [], [], []),
        two.record_poll(a_snapshot("other"), [], [], []),
        return_exceptions=True,
    )
    assert isinstance(superseded, SupersededError)
    assert other is None
    assert "other" in (await shared(one).catch_up(NOBODY)).snapshots


async def test_a_replica_that_stood_still_writes_no_old_times(one: Store, two: Store) -> None:
    await one.record_poll(a_snapshot(), [], [], [])
    await shared(two).catch_up(NOBODY)
    two.record_times(replace(a_snapshot(), attempted_at=START + timedelta(1)), None)
    newest = START + timedelta(2)
    one.record_times(replace(a_snapshot(), attempted_at=newest), None)
    await one.save()
    await two.save()
    news = await shared(two).catch_up(NOBODY)
    assert news.times["payments"].attempted_at == newest


async def test_what_is_being_recorded_here_is_left_for_the_next_time(
    one: Store, two: Store
) -> None:
    await one.record_poll(a_snapshot(), [], [], [])
    assert not (await shared(two).catch_up(frozenset({"payments"}))).snapshots
    with pytest.raises(SupersededError):
        await two.record_poll(replace(a_snapshot(), authorizations={}), [], [], [])
    assert "payments" in (await shared(two).catch_up(NOBODY)).snapshots


async def test_of_two_that_flush_a_group_one_tells(one: Store, two: Store) -> None:
    await one.record_groups([GROUP])
    await shared(two).catch_up(NOBODY)
    flushed = replace(GROUP, last_flush_at=START)
    await one.record_flush(flushed, a_delivery())
    with pytest.raises(SupersededError):
        await two.record_flush(flushed, replace(a_delivery(), id="msg_other"))
    news = await shared(two).catch_up(NOBODY)
    assert [delivery.id for delivery in news.deliveries] == [a_delivery().id]
    assert news.groups[flushed.key] == flushed


async def test_a_group_that_is_over_is_over_for_all_however_long_its_key(
    one: Store, two: Store
) -> None:
    group = replace(GROUP, key="k" * 5000)
    await one.record_groups([group])
    assert group.key in (await shared(two).catch_up(NOBODY)).groups
    await one.record_groups([replace(group, members={})])
    assert (await shared(two).catch_up(NOBODY)).gone_groups == {group.key}


async def test_what_people_say_to_one_counts_for_all(one: Store, two: Store) -> None:
    await one.record_poll(a_snapshot(), [an_alert()], [], [])
    await one.put_silence(a_silence())
    await one.acknowledge(an_acknowledgement(an_alert()))
    await one.switch_off("ops", "410 Gone")
    news = await shared(two).catch_up(NOBODY)
    assert news.silences == (a_silence(),)
    assert list((news.acknowledgements or {}).values()) == [an_acknowledgement(an_alert())]
    assert news.switched_off == {"ops": "410 Gone"}


async def test_each_slot_is_claimed_once(one: Store, two: Store) -> None:
    queued: list[str] = []

    def enlist(_connection: Connection, due: object) -> None:
        queued.append(str(due))

    for store in (one, two, one):
        await shared(store).claim_polls({"payments": SLOT}, enlist)
    assert len(queued) == 1
    assert await shared(one).claim("heartbeat", SLOT)
    assert not await shared(two).claim("heartbeat", SLOT)
    following = (START + timedelta(minutes=5), START + timedelta(minutes=15))
    assert await shared(two).claim("heartbeat", following)


async def test_a_claim_of_a_clock_that_was_set_back_does_not_count(one: Store) -> None:
    ahead = START + timedelta(days=1)
    assert await shared(one).claim("heartbeat", (ahead, ahead))
    assert await shared(one).claim("heartbeat", SLOT)
    assert not await shared(one).claim("heartbeat", SLOT)


async def test_a_slot_that_became_old_before_it_could_be_claimed_is_left(
    one: Store, two: Store, clock: Clock
) -> None:
    clock.move(timedelta(minutes=15))
    newest = (START + timedelta(minutes=15), START + timedelta(minutes=25))
    assert await shared(two).claim("heartbeat", newest)
    assert not await shared(one).claim("heartbeat", SLOT)  # it was cut off meanwhile
    assert not await shared(two).claim("heartbeat", newest)


async def test_a_claim_is_undone_with_the_queue_that_refuses_it(one: Store) -> None:
    def refuse(_connection: Connection, _due: object) -> None:
        msg = "refused"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="refused"):
        await shared(one).claim_polls({"payments": SLOT}, refuse)
    queued: list[object] = []
    await shared(one).claim_polls({"payments": SLOT}, lambda _, due: queued.append(due))
    assert queued


async def test_one_that_halts_in_a_transaction_holds_the_others_up_for_a_moment_only(
    one: Store, two: Store
) -> None:
    is_halted, goes_on = Event(), Event()

    def halt(_connection: Connection, _due: object) -> None:
        is_halted.set()
        goes_on.wait()

    halting = asyncio.create_task(shared(one).claim_polls({"payments": SLOT}, halt))
    try:
        await asyncio.to_thread(is_halted.wait)
        async with asyncio.timeout(HALT_SECONDS + 1.5):
            await two.record_poll(a_snapshot(), [], [], [])
    finally:
        goes_on.set()
    with pytest.raises(StoreWriteError) as failure:
        await halting
    assert failure.value.reason is StoreFault.BUSY
    assert "payments" in (await shared(one).catch_up(NOBODY)).snapshots
    queued: list[object] = []  # nothing of what it was about is stored
    await shared(one).claim_polls({"payments": SLOT}, lambda _, due: queued.append(due))
    assert queued


async def test_what_a_dead_replica_owed_is_taken_over_once_it_counts_as_dead(
    one: Store, two: Store, postgres: str
) -> None:
    assert await shared(one).beat(30) == 1
    assert await shared(two).beat(30) == 2
    await one.record_flush(GROUP, a_delivery())
    assert not await shared(two).take_over(["ops"])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("UPDATE replicas SET seen_at = seen_at - 31 WHERE id = 'one'")
    assert await shared(two).beat(30) == 1
    assert await shared(two).take_over(["ops"]) == (a_delivery(),)
    news = await shared(one).catch_up(NOBODY)
    assert news.deliveries == (a_delivery(),)
    assert news.have_replicas_changed
    delivered = replace(a_delivery(), state=DeliveryState.DELIVERED, settled_at=START)
    with pytest.raises(SupersededError):
        await one.settle(delivered)
    await two.settle(delivered)
    with pytest.raises(SupersededError):
        await one.settle(replace(a_delivery(), attempts=1))
    news = await shared(one).catch_up(NOBODY)
    assert news.deliveries == (delivered,)


async def test_a_replica_waits_for_those_to_count_it_that_have_a_connection(
    join: Join, one: Store
) -> None:
    async with join("dead") as dead:
        await shared(dead).beat(30)
    await shared(one).beat(30)
    assert await shared(one).are_told()
    async with join("alive") as alive:
        await shared(alive).beat(30)
        assert not await shared(alive).are_told()
        await shared(one).beat(30)
        assert await shared(alive).are_told()


async def test_a_replica_that_leaves_leaves_what_it_owed_at_once(one: Store, two: Store) -> None:
    await shared(one).beat(30)
    await shared(two).beat(30)
    await one.record_flush(GROUP, a_delivery())
    await shared(one).leave()
    assert await shared(two).take_over(["ops"]) == (a_delivery(),)


async def test_what_one_discovers_the_others_are_given(one: Store, two: Store) -> None:
    assert await shared(two).discovery("iam") is None
    await shared(one).put_discovery("iam", [a_project()])
    assert (await shared(two).catch_up(NOBODY)).sources == {"iam"}
    assert await shared(two).discovery("iam") == (a_project(),)
    await shared(one).put_discovery("iam", [a_project()])
    assert not await shared(two).catch_up(NOBODY)


async def test_a_replica_and_a_process_that_needs_all_of_it_exclude_each_other(
    one: Store, postgres: str, clock: Clock
) -> None:
    assert one.replicas
    with pytest.raises(StoreHeldError):
        async with open_store(postgres, now=clock, retention=RETENTION):
            pass
