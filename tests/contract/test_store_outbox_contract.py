"""What every store promises of the outbox, whatever database is behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.alerting.grouping import Member
from auditd.store.errors import StoreConflictError
from auditd.store.store import Store
from tests.unit.store.examples import (
    START,
    Clock,
    a_delivery,
    a_group,
    settled,
)

MINUTE = timedelta(minutes=1)


async def test_a_flush_is_stored_with_what_is_owed_or_not_at_all(store: Store) -> None:
    group = a_group("ops:{}", "f")
    await store.record_flush(group, a_delivery("d1"))
    told = replace(group, members={"f": Member(told_at=START)})
    with pytest.raises(StoreConflictError):
        await store.record_flush(told, a_delivery("d2"))
    state = await store.load()
    assert state.groups == {group.key: group}
    assert state.pending == (a_delivery("d1"),)


async def test_what_is_owed_is_loaded_in_the_order_in_which_it_came_to_be(store: Store) -> None:
    names = ["c", "a", "b"]
    for name in names:
        await store.record_flush(a_group(name, "f"), a_delivery(name, name))
    assert [delivery.id for delivery in (await store.load()).pending] == names


async def test_a_retry_stays_owed_and_is_no_news(store: Store) -> None:
    await store.record_flush(a_group(), a_delivery())
    later = replace(a_delivery(), attempts=1, next_at=START + MINUTE, last_error="503")
    await store.settle(later)
    assert (await store.load()).pending == (later,)
    assert await store.trail() == ()


@pytest.mark.parametrize("state", [DeliveryState.DELIVERED, DeliveryState.DEAD])
async def test_what_is_settled_is_owed_no_more_and_told_once(
    store: Store, state: DeliveryState
) -> None:
    await store.record_flush(a_group(), a_delivery())
    done = settled(a_delivery(), state)
    await store.settle(done)
    await store.settle(done)
    assert (await store.load()).pending == ()
    assert await store.delivery("d1") == done
    (entry,) = await store.trail()
    assert (entry.kind, entry.subject) == (f"delivery.{state}", "d1")


async def test_another_outcome_of_a_settled_delivery_is_refused(store: Store) -> None:
    await store.record_flush(a_group(), a_delivery())
    await store.settle(settled(a_delivery(), DeliveryState.DELIVERED))
    with pytest.raises(StoreConflictError):
        await store.settle(settled(a_delivery(), DeliveryState.DEAD))
    with pytest.raises(StoreConflictError):
        await store.settle(settled(a_delivery("d2"), DeliveryState.DEAD))


async def test_a_dead_delivery_is_replayed_with_its_id(store: Store, clock: Clock) -> None:
    await store.record_flush(a_group(), a_delivery())
    await store.settle(settled(a_delivery(), DeliveryState.DEAD))
    at = clock.move(timedelta(days=4))
    tried = (Attempt(at, AttemptOutcome.REPLAYED),)
    replayed = replace(a_delivery(), created_at=at, next_at=at, tried=tried)
    assert await store.replay("d1") == replayed
    assert (await store.load()).pending == (replayed,)
    assert [entry.kind for entry in await store.trail()] == ["delivery.replayed", "delivery.dead"]


async def test_what_was_tried_is_kept_and_a_replay_adds_to_it(store: Store, clock: Clock) -> None:
    failed = Attempt(START, AttemptOutcome.FAILED, "the receiver said „nein“ \0 \ud800")
    kept = replace(failed, detail="the receiver said „nein“ \ufffd \ufffd")
    await store.record_flush(a_group(), a_delivery())
    await store.settle(replace(a_delivery(), attempts=1, tried=(failed,)))
    assert [delivery.tried for delivery in (await store.load()).pending] == [(kept,)]
    dead = replace(settled(a_delivery(), DeliveryState.DEAD), tried=(failed, failed))
    await store.settle(dead)
    assert [delivery.tried for delivery in await store.deliveries()] == [(kept, kept)]
    at = clock.move(MINUTE)
    replayed = await store.replay("d1")
    assert replayed.tried == (kept, kept, Attempt(at, AttemptOutcome.REPLAYED))
    assert await store.delivery("d1") == replayed


async def test_only_a_dead_delivery_can_be_replayed(store: Store) -> None:
    await store.record_flush(a_group(), a_delivery())
    for delivery_id in ("d1", "d2"):
        with pytest.raises(StoreConflictError, match=delivery_id):
            await store.replay(delivery_id)


async def test_a_replay_waits_for_what_its_group_is_owed(store: Store) -> None:
    await store.record_flush(a_group(), a_delivery("d1"))
    await store.settle(settled(a_delivery("d1"), DeliveryState.DEAD))
    await store.record_flush(a_group(), a_delivery("d2"))
    with pytest.raises(StoreConflictError, match="d2"):
        await store.replay("d1")
    await store.settle(settled(a_delivery("d2"), DeliveryState.DELIVERED))
    assert (await store.replay("d1")).id == "d1"


async def test_deliveries_are_listed_page_by_page(store: Store) -> None:
    for number in range(5):
        name, hook = f"d{number}", "ops" if number % 2 else "pager"
        await store.record_flush(a_group(name, "f"), a_delivery(name, name, hook))
    await store.settle(settled(a_delivery("d4", "d4", "pager"), DeliveryState.DEAD))

    def ids(page: tuple[object, ...]) -> list[str]:
        return [getattr(delivery, "id", "") for delivery in page]

    first = await store.deliveries(limit=2)
    assert ids(first) == ["d4", "d3"]
    assert ids(await store.deliveries(limit=2, before="d3")) == ["d2", "d1"]
    assert ids(await store.deliveries(before="nobody")) == []
    assert ids(await store.deliveries(hook="ops")) == ["d3", "d1"]
    assert ids(await store.deliveries(state=DeliveryState.DEAD)) == ["d4"]
    assert await store.delivery("nobody") is None


async def test_a_hook_is_off_until_it_is_switched_on(store: Store) -> None:
    for reason in ("410 Gone", "410 Gone", "410 again"):
        await store.switch_off("ops", reason)
    assert (await store.load()).switched_off == {"ops": "410 again"}
    await store.switch_on("ops")
    await store.switch_on("ops")
    assert (await store.load()).switched_off == {}
    kinds = [entry.kind for entry in await store.trail()]
    assert kinds == ["hook.switched_on", "hook.switched_off", "hook.switched_off"]
