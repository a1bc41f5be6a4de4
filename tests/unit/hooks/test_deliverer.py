from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

import pytest

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.events import (
    DeliveryDead,
    DeliveryEvent,
    DeliveryRetried,
    DeliverySent,
    SendFailure,
)
from auditd.alerting.retry import DeathReason
from auditd.alerting.superseded import SupersededError
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.lane import AT_ONCE
from auditd.hooks.port import Message, RefusedError, RetryLaterError, SwitchedOffError
from tests.unit.hooks.fakes import START, FakeHook, FakeLedger, delivery_of

pytestmark = pytest.mark.looptime

DOWN = RetryLaterError(SendFailure.CONNECT, "hook 'ops': nobody there")


def _now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


EventT = TypeVar("EventT", bound=DeliveryEvent)


class World:
    """A deliverer among fakes."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.events: list[DeliveryEvent] = []
        self.random = Random(7)

    def deliverer(
        self, *hooks: FakeHook, pending: Iterable[Delivery] = (), off: Iterable[str] = ()
    ) -> Deliverer:
        return Deliverer(
            hooks,
            self.ledger,
            pending=pending,
            switched_off=tuple(off),
            external_url="",
            emit=self.events.append,
            now=_now,
            monotonic=_monotonic,
            random=self.random.random,
        )

    async def owe(self, deliverer: Deliverer, delivery: Delivery) -> None:
        now = _now()
        delivery = replace(delivery, created_at=now, next_at=now)
        self.ledger.deliveries[delivery.id] = delivery
        deliverer.accept(delivery)

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def world() -> World:
    return World()


@asynccontextmanager
async def running(deliverer: Deliverer) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(deliverer.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _down_until(seconds: float) -> Callable[[Message], None]:
    def behave(_: Message) -> None:
        if _monotonic() < seconds:
            raise DOWN

    return behave


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
    dead, fine = FakeHook("dead", behave=_down_until(day)), FakeHook("fine")
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


async def test_retry_after_holds_the_whole_hook(world: World) -> None:
    def throttle(message: Message) -> None:
        if _monotonic() < 100:
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
        if _monotonic() < 100:
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


async def test_what_was_claimed_is_not_sent_while_an_outcome_cannot_be_written(
    world: World,
) -> None:
    def fill_the_disk(_: Message) -> None:
        if _monotonic() == 1.0:
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
        if _monotonic() < 10:
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
    hook = FakeHook(behave=_down_until(float("inf")))
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
    assert _monotonic() == 3.0
    assert world.ledger.deliveries["msg_1"].state is DeliveryState.DELIVERED


async def test_a_send_that_takes_too_long_to_wait_for_is_left_pending(world: World) -> None:
    hook = FakeHook(seconds=100.0)
    deliverer = world.deliverer(hook)
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(1)
    assert _monotonic() == 6.0
    assert world.ledger.deliveries["msg_1"].state is DeliveryState.PENDING
    assert [item.id for item in deliverer.pending] == ["msg_1"]


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


async def test_retries_keep_to_the_receivers_pace(world: World) -> None:
    hook = FakeHook(messages_per_minute=2, behave=_down_until(50))
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
    async with running(deliverer):
        await world.owe(deliverer, delivery_of(1))
        await asyncio.sleep(60)
    assert hook.taken == []
    assert deliverer.is_pending("ops", "ops-1")  # until we hear that it was sent


async def test_a_hook_that_another_replica_switched_is_switched_here(world: World) -> None:
    deliverer = world.deliverer(FakeHook())
    deliverer.switch_all({"ops": "410 Gone"})
    assert deliverer.switched_off == {"ops"}
    deliverer.switch_all({})
    assert deliverer.switched_off == frozenset()
