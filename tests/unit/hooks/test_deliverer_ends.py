from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from auditd.alerting.delivery import DeliveryState
from auditd.alerting.events import (
    DeliveryDead,
    DeliveryRetried,
    SendFailure,
)
from auditd.alerting.retry import DeathReason
from auditd.hooks.port import Message, RefusedError
from tests.unit.hooks.deliveries import World, down_until, monotonic, running
from tests.unit.hooks.fakes import FakeHook, delivery_of

pytestmark = pytest.mark.looptime


async def test_a_refused_delivery_is_given_up_after_an_hour_and_blocks_nobody(
    world: World,
) -> None:
    def refuse_the_first(message: Message) -> None:
        if message.id == "msg_1":
            raise RefusedError(SendFailure.REFUSED, "hook 'ops': bad request")

    hook = FakeHook(behave=refuse_the_first)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await world.owe(deliverer, delivery_of(2))
        await asyncio.sleep(1)
        assert [message.id for message in hook.taken] == ["msg_2"]
        await asyncio.sleep(2 * 3600)
    (dead,) = world.of(DeliveryDead)
    assert dead.death is DeathReason.REFUSED
    ended = world.ledger.deliveries["msg_1"]
    assert ended.state is DeliveryState.DEAD
    assert ended.last_error == "hook 'ops': bad request"
    assert not deliverer.is_pending("ops", "ops-1")


async def test_a_dead_hook_kills_its_deliveries_after_72_hours(world: World) -> None:
    hook = FakeHook(behave=down_until(float("inf")))
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(timedelta(hours=71.9).total_seconds())
        assert world.of(DeliveryDead) == []
        await asyncio.sleep(timedelta(hours=1).total_seconds())
    (dead,) = world.of(DeliveryDead)
    assert dead.death is DeathReason.EXPIRED


async def test_a_defect_of_a_kind_is_logged_told_and_tried_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: Message) -> None:
        if message.attempt == 1:
            raise KeyError(message.id)

    hook = FakeHook(behave=fail)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(5)
    (retried,) = world.of(DeliveryRetried)
    assert retried.reason is SendFailure.INTERNAL
    assert "KeyError" in retried.message
    assert len(hook.taken) == 1
    assert "hook ops failed inside this program" in caplog.text


async def test_a_send_under_way_is_finished_when_the_loop_is_stopped(world: World) -> None:
    hook = FakeHook(seconds=3.0)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
    assert monotonic() == 3.0
    assert world.ledger.deliveries["msg_1"].state is DeliveryState.DELIVERED


async def test_a_send_that_takes_too_long_to_wait_for_is_left_pending(world: World) -> None:
    hook = FakeHook(seconds=100.0)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
    assert monotonic() == 6.0
    assert world.ledger.deliveries["msg_1"].state is DeliveryState.PENDING
    assert [item.id for item in deliverer.pending] == ["msg_1"]
