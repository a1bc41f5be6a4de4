from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from auditd.alerting.delivery import DeliveryState
from auditd.alerting.superseded import SupersededError
from tests.unit.hooks.deliveries import World, down_until, running
from tests.unit.hooks.fakes import FakeHook, delivery_of

pytestmark = pytest.mark.looptime


async def test_what_another_replica_is_to_send_is_pending_until_it_has(world: World) -> None:
    deliverer = world.deliverer(FakeHook())
    settled: list[str] = []
    deliverer.listen(settled.append)
    deliverer.hear(delivery_of(1))
    assert deliverer.is_pending("ops", "ops-1")
    assert deliverer.pending == (delivery_of(1),)
    delivered = replace(delivery_of(1), state=DeliveryState.DELIVERED)
    deliverer.hear(replace(delivered, id="msg_older"))
    assert settled == []
    deliverer.hear(delivered)
    assert settled == ["ops-1"]
    assert not deliverer.is_pending("ops", "ops-1")


async def test_what_is_taken_over_from_another_replica_is_sent(world: World) -> None:
    hook = FakeHook()
    deliverer = world.deliverer(hook)
    deliverer.hear(delivery_of(1))
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
    assert world.ledger.deliveries["msg_1"].state is DeliveryState.DELIVERED
    assert deliverer.pending == ()


async def test_what_another_replica_has_taken_over_is_not_sent(world: World) -> None:
    hook = FakeHook()
    deliverer = world.deliverer(hook)
    world.ledger.fault = SupersededError()
    settled: list[str] = []
    deliverer.listen(settled.append)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(60)
    assert hook.taken == []
    assert settled == ["ops-1"]
    assert deliverer.pending == ()  # but for what we hear of it


@pytest.mark.parametrize("is_heard_of_twice", [True, False])
async def test_what_waits_here_is_dropped_when_another_replica_took_it_over(
    world: World, *, is_heard_of_twice: bool
) -> None:
    hook = FakeHook(behave=down_until(1.0))
    deliverer = world.deliverer(hook)
    settled: list[str] = []
    deliverer.listen(settled.append)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(0.1)
        if is_heard_of_twice:
            deliverer.hear(delivery_of(1))
            assert deliverer.pending == (delivery_of(1),)
            assert settled == []
        deliverer.hear(replace(delivery_of(1), state=DeliveryState.DELIVERED))
        assert settled == ["ops-1"]
        assert deliverer.pending == ()
        await asyncio.sleep(3600)
    assert hook.taken == []


async def test_what_is_being_sent_here_while_another_replica_settles_it_blocks_nothing(
    world: World,
) -> None:
    hook = FakeHook(seconds=2.0)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
        deliverer.hear(replace(delivery_of(1), state=DeliveryState.DELIVERED))
        world.ledger.fault = SupersededError()
        await asyncio.sleep(60)
    assert deliverer.pending == ()


async def test_a_hook_that_another_replica_switched_is_switched_here(world: World) -> None:
    deliverer = world.deliverer(FakeHook())
    deliverer.switch_all({"ops": "410 Gone"})
    assert deliverer.switched_off == {"ops"}
    deliverer.switch_all({})
    assert deliverer.switched_off == frozenset()
