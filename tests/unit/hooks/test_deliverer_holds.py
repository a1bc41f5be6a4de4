from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

import pytest

from auditd.alerting.events import (
    DeliveryDead,
    SendFailure,
)
from auditd.alerting.retry import DeathReason
from auditd.hooks.lane import AT_ONCE
from auditd.hooks.port import Message, RetryLaterError, SwitchedOffError
from tests.unit.hooks.deliveries import World, down_until, monotonic, running
from tests.unit.hooks.fakes import FakeHook, delivery_of

pytestmark = pytest.mark.looptime


async def test_retry_after_holds_the_whole_hook(world: World) -> None:
    def throttle(message: Message) -> None:
        if monotonic() < 100:
            raise RetryLaterError(SendFailure.THROTTLED, "slow", retry_after_seconds=120)

    hook = FakeHook(behave=throttle)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
        await world.owe(deliverer, delivery_of(2))
        assert deliverer.free_at("ops") == 120.0
        await asyncio.sleep(118)
        assert len(hook.attempts) == 1
        await asyncio.sleep(2)
    assert {message.id for message in hook.taken} == {"msg_1", "msg_2"}


async def test_what_was_claimed_when_the_hook_was_held_is_sent_later_as_the_same_attempt(
    world: World,
) -> None:
    def throttle(message: Message) -> None:
        if monotonic() < 100:
            raise RetryLaterError(SendFailure.THROTTLED, "slow", retry_after_seconds=120)

    hook = FakeHook(behave=throttle, seconds=1.0)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        for number in range(3 * AT_ONCE):
            await world.owe(deliverer, delivery_of(number))
        await asyncio.sleep(100)
        assert len(hook.attempts) == AT_ONCE
        await asyncio.sleep(100)
    sent = Counter(message.attempt for message in hook.taken)
    assert sent == {1: 2 * AT_ONCE, 2: AT_ONCE}


async def test_a_frugal_hook_is_sent_fewer_messages_at_once(world: World) -> None:
    @dataclass
    class Frugal(FakeHook):
        at_once: int = 2

    hook, plain = Frugal(seconds=1.0), FakeHook("plain", seconds=1.0)
    deliverer = world.deliverer(hook, plain)
    async with running(deliverer):
        for number in range(2 * AT_ONCE):
            await world.owe(deliverer, delivery_of(number))
            await world.owe(deliverer, delivery_of(number, hook="plain"))
        await asyncio.sleep(0.5)
        assert (len(hook.attempts), len(plain.attempts)) == (2, AT_ONCE)


async def test_410_switches_the_hook_off_until_somebody_switches_it_on(world: World) -> None:
    def go(_: Message) -> None:
        if monotonic() < 10:
            msg = "gone"
            raise SwitchedOffError(msg)

    hook = FakeHook(behave=go)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
        await world.owe(deliverer, delivery_of(2))
        await asyncio.sleep(10**5)
        assert [message.id for message in hook.attempts] == ["msg_1"]
        assert world.ledger.switched_off == {"ops": "gone"}
        assert deliverer.switched_off == {"ops"}
        assert deliverer.free_at("ops") == float("inf")
        deliverer.switch_on("ops")
        await asyncio.sleep(1)
    assert [message.id for message in hook.taken] == ["msg_2"]
    (dead,) = world.of(DeliveryDead)
    assert (dead.id, dead.death, dead.reason) == ("msg_1", DeathReason.GONE, SendFailure.GONE)


async def test_retries_keep_to_the_receivers_pace(world: World) -> None:
    hook = FakeHook(messages_per_minute=2, behave=down_until(50))
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        assert deliverer.free_at("ops") == 0.0
        await world.owe(deliverer, delivery_of(2))
        assert deliverer.free_at("ops") == 60.0
        await asyncio.sleep(59)
        assert len(hook.attempts) == 2
        await asyncio.sleep(2)
    assert len(hook.taken) == 2


async def test_a_hook_that_was_switched_off_before_gets_nothing(world: World) -> None:
    hook = FakeHook()
    deliverer = world.deliverer(hook, pending=[delivery_of(1)], off=["ops"])
    async with running(deliverer):
        await asyncio.sleep(10**5)
    assert hook.attempts == []


async def test_hooks_that_are_not_there_are_never_free(world: World) -> None:
    deliverer = world.deliverer()
    assert deliverer.free_at("nobody") == float("inf")
    assert not deliverer.is_pending("nobody", "group")
