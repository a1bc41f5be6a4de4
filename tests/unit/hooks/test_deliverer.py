from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.alerting.delivery import DeliveryState
from auditd.alerting.events import (
    DeliveryRetried,
    DeliverySent,
    SendFailure,
)
from auditd.hooks.lane import AT_ONCE
from auditd.hooks.port import Message
from tests.unit.hooks.deliveries import World, down_until, monotonic, running
from tests.unit.hooks.fakes import START, FakeHook, delivery_of

pytestmark = pytest.mark.looptime


async def test_a_delivery_is_claimed_sent_and_settled(world: World) -> None:
    hook = FakeHook(seconds=2.0)
    deliverer = world.deliverer(hook)
    settled: list[str] = []
    deliverer.listen(settled.append)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
        assert world.ledger.deliveries["msg_1"].attempts == 1
        assert deliverer.is_pending("ops", "ops-1")
        await asyncio.sleep(2)
    ended = world.ledger.deliveries["msg_1"]
    assert ended.state is DeliveryState.DELIVERED
    assert ended.settled_at == START + timedelta(seconds=2)
    assert [(item.id, item.attempt) for item in hook.taken] == [("msg_1", 1)]
    assert world.events == [
        DeliverySent("ops", "msg_1", "ops-1", 1, 1, duration_seconds=2.0, latency_seconds=2.0)
    ]
    assert settled == ["ops-1"]
    assert deliverer.pending == ()


async def test_a_hook_that_is_down_for_a_day_gets_everything_in_order_in_20_attempts(
    world: World,
) -> None:
    day = timedelta(days=1).total_seconds()
    dead, fine = FakeHook("dead", behave=down_until(day)), FakeHook("fine")
    number = 0
    for _ in range(6):
        pending = world.ledger.pending
        deliverer = world.deliverer(dead, fine, pending=pending)
        async with running(deliverer):
            for _ in range(50):
                number += 1
                for hook in ("dead", "fine"):
                    await world.owe(deliverer, delivery_of(number, hook=hook))
                await asyncio.sleep(60)
            await asyncio.sleep(day / 5)
    attempts: dict[str, int] = defaultdict(int)
    for message in dead.attempts:
        attempts[message.id] += 1
        assert message.attempt == attempts[message.id]
    assert attempts.keys() == {message.id for message in dead.taken}
    assert len(dead.taken) == len(fine.taken) == number
    failed = Counter(event.id for event in world.of(DeliveryRetried))
    assert max(failed.values()) <= 20
    assert {it.latency_seconds for it in world.of(DeliverySent) if it.hook == "fine"} == {0.0}


async def test_a_hook_that_hangs_delays_no_other(world: World) -> None:
    hung, fine = FakeHook("hung", seconds=10**6), FakeHook("fine")
    deliverer = world.deliverer(hung, fine)
    async with running(deliverer):
        for number in range(50):
            await world.owe(deliverer, delivery_of(number, hook="hung"))
            await world.owe(deliverer, delivery_of(number, hook="fine"))
        await asyncio.sleep(0.001)
        assert len(fine.taken) == 50
        await asyncio.sleep(301)
    retried = world.of(DeliveryRetried)
    assert retried
    assert {event.reason for event in retried} == {SendFailure.TIMEOUT}


async def test_nothing_is_sent_while_the_ledger_cannot_be_written(world: World) -> None:
    hook = FakeHook()
    deliverer = world.deliverer(hook)
    world.ledger.fault = OSError(28, "No space left on device")
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(3600)
        assert hook.attempts == []
        world.ledger.fault = None
        await asyncio.sleep(10)
    assert [message.attempt for message in hook.taken] == [1]


async def test_what_was_sent_is_not_sent_again_when_its_end_cannot_be_written(
    world: World,
) -> None:
    def fill_the_disk(_: Message) -> None:
        world.ledger.fault = OSError(28, "No space left on device")

    hook = FakeHook(behave=fill_the_disk)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(3600)
        assert world.events == []
        world.ledger.fault = None
        await asyncio.sleep(10)
    assert len(hook.attempts) == 1
    assert world.ledger.deliveries["msg_1"].state is DeliveryState.DELIVERED
    assert len(world.of(DeliverySent)) == 1


async def test_what_was_claimed_is_not_sent_while_an_outcome_cannot_be_written(
    world: World,
) -> None:
    def fill_the_disk(_: Message) -> None:
        if monotonic() == 1.0:
            world.ledger.fault = OSError(28, "No space left on device")

    hook = FakeHook(behave=fill_the_disk, seconds=1.0)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        for number in range(4 * AT_ONCE):
            await world.owe(deliverer, delivery_of(number))
        await asyncio.sleep(30)
        assert len(hook.attempts) <= 2 * AT_ONCE  # some begin before the first note has failed
        world.ledger.fault = None
        await asyncio.sleep(60)
    assert {message.id for message in hook.taken} == world.ledger.deliveries.keys()
    assert len(hook.attempts) == 4 * AT_ONCE


async def test_what_was_pending_at_the_start_is_tried_when_it_is_due_with_its_id(
    world: World,
) -> None:
    later = replace(delivery_of(1), attempts=4, next_at=START + timedelta(seconds=50))
    clock_was_ahead = replace(delivery_of(2), next_at=START + timedelta(days=400))
    unknown = delivery_of(3, hook="removed")
    hook = FakeHook()
    deliverer = world.deliverer(hook, pending=[later, clock_was_ahead, unknown])
    async with running(deliverer):
        await asyncio.sleep(49)
        assert hook.attempts == []
        await asyncio.sleep(2)
        assert [(item.id, item.attempt) for item in hook.taken] == [("msg_1", 5)]
        await asyncio.sleep(4 * 3600)
    assert [item.id for item in hook.taken] == ["msg_1", "msg_2"]
