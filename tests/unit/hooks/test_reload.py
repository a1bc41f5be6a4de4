"""Hooks and routes are exchanged while alerts fire and deliveries are under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import pytest

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.events import DeliveryDead, DeliveryEvent, DeliverySent, SendFailure
from auditd.alerting.notification import NotifiedAlert
from auditd.alerting.retry import DeathReason
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.pace import Pace
from auditd.hooks.port import Message, RetryLaterError, SwitchedOffError
from auditd.hooks.refresher import Refresher
from tests.unit.hooks.fakes import START, FakeHook, FakeLedger, alert_of, delivery_of, tree

pytestmark = pytest.mark.looptime


GONE = SwitchedOffError("hook 'ops': it is gone")


DOWN = RetryLaterError(SendFailure.CONNECT, "hook 'ops': nobody there")


def _now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


class World:
    """A deliverer among fakes."""

    def __init__(self, *hooks: FakeHook, pending: Sequence[Delivery] = ()) -> None:
        self.ledger = FakeLedger()
        self.ledger.deliveries = {delivery.id: delivery for delivery in pending}
        self.events: list[DeliveryEvent] = []
        self.deliverer = Deliverer(
            hooks,
            self.ledger,
            pending=pending,
            switched_off=(),
            external_url="",
            emit=self.events.append,
            now=_now,
            monotonic=asyncio.get_running_loop().time,
            random=lambda: 0.5,
        )

    def owe(self, *deliveries: Delivery) -> None:
        for delivery in deliveries:
            self.ledger.deliveries[delivery.id] = delivery
            self.deliverer.accept(delivery)

    def state(self, number: int) -> DeliveryState:
        return self.ledger.deliveries[f"msg_{number}"].state

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.deliverer.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _refuse(_: Message) -> None:
    raise DOWN


async def test_what_is_being_sent_ends_as_it_began_and_is_not_sent_again() -> None:
    old, new = FakeHook(seconds=5.0), FakeHook()
    world = World(old)
    async with world.running():
        world.owe(delivery_of(1))
        await asyncio.sleep(1)
        world.deliverer.adopt([new])
        await asyncio.sleep(5)
    assert [message.id for message in old.taken] == ["msg_1"]
    assert new.attempts == []
    assert world.state(1) is DeliveryState.DELIVERED


async def test_what_waits_goes_on_with_the_new_options_from_the_next_attempt() -> None:
    old, new = FakeHook(behave=_refuse), FakeHook()
    world = World(old)
    async with world.running():
        world.owe(delivery_of(1))
        await asyncio.sleep(0.1)
        assert len(old.attempts) == 1
        world.deliverer.adopt([new])
        await asyncio.sleep(10)
    assert [(message.id, message.attempt) for message in new.taken] == [("msg_1", 2)]
    assert world.deliverer.pending == ()


async def test_what_a_removed_hook_is_owed_is_given_up_and_said() -> None:
    hook = FakeHook(behave=_refuse)
    world = World(hook)
    settled: list[str] = []
    world.deliverer.listen(settled.append)
    async with world.running():
        world.owe(delivery_of(1), delivery_of(2))
        await asyncio.sleep(200)
        attempts = len(hook.attempts)
        world.deliverer.adopt([])
        assert world.deliverer.is_pending("ops", "ops-1")
        await asyncio.sleep(1)
    assert len(hook.attempts) == attempts
    dead = [event for event in world.events if isinstance(event, DeliveryDead)]
    assert {(event.id, event.death) for event in dead} == {
        ("msg_1", DeathReason.HOOK_REMOVED),
        ("msg_2", DeathReason.HOOK_REMOVED),
    }
    assert "removed from the configuration" in world.ledger.deliveries["msg_1"].last_error
    assert sorted(settled) == ["ops-1", "ops-2"]
    assert world.deliverer.pending == ()
    assert not world.deliverer.is_pending("ops", "ops-1")


async def test_what_was_being_sent_when_its_hook_was_removed_may_still_arrive() -> None:
    taken, refused = FakeHook(seconds=5.0), FakeHook("am", seconds=5.0, behave=_refuse)
    world = World(taken, refused)
    async with world.running():
        world.owe(delivery_of(1), delivery_of(2, hook="am"))
        await asyncio.sleep(1)
        world.deliverer.adopt([])
        await asyncio.sleep(5)
    assert world.state(1) is DeliveryState.DELIVERED
    assert world.ledger.deliveries["am_2"].state is DeliveryState.DEAD
    assert sum(isinstance(event, DeliverySent) for event in world.events) == 1


async def test_what_hooks_are_owed_that_are_gone_at_the_start_is_given_up_too() -> None:
    world = World(FakeHook(), pending=[delivery_of(1), delivery_of(2, hook="gone")])
    async with world.running():
        await asyncio.sleep(1)
    assert world.state(1) is DeliveryState.DELIVERED
    assert world.ledger.deliveries["gone_2"].state is DeliveryState.DEAD


async def test_giving_up_waits_for_a_ledger_that_cannot_be_written() -> None:
    world = World(FakeHook(behave=_refuse))
    async with world.running():
        world.owe(delivery_of(1))
        await asyncio.sleep(0.1)
        world.ledger.fault = OSError("disk full")
        world.deliverer.adopt([])
        await asyncio.sleep(60)
        assert world.state(1) is DeliveryState.PENDING
        assert [delivery.id for delivery in world.deliverer.pending] == ["msg_1"]
        world.ledger.fault = None
        await asyncio.sleep(6)
        assert world.state(1) is DeliveryState.DEAD
        assert len(world.deliverer._closed) == 0


async def test_a_hook_that_is_switched_off_stays_so_whatever_is_reloaded() -> None:
    def gone(_: Message) -> None:
        raise GONE

    world = World(FakeHook(behave=gone))
    async with world.running():
        world.owe(delivery_of(1))
        await asyncio.sleep(1)
        assert world.deliverer.switched_off == {"ops"}
        for hooks in ([FakeHook()], [], [FakeHook()]):
            world.deliverer.adopt(hooks)
            await asyncio.sleep(1)
        assert world.deliverer.switched_off == {"ops"}
        world.deliverer.switch_on("ops")
        for hooks in ([], [FakeHook()]):
            world.deliverer.adopt(hooks)
        assert world.deliverer.switched_off == frozenset()


def test_another_pace_knows_what_was_sent() -> None:
    pace = Pace(None).at(2)
    for instant in (0.0, 1.0):
        pace.take(instant)
    assert pace.at(1).free_at(2.0) == 61.0
    assert pace.at(5).free_at(2.0) == 2.0
    assert pace.at(None).free_at(2.0) == 2.0


class StateRecorder:
    """Notes what it is told."""

    kind = "fake"

    def __init__(self, name: str = "ops") -> None:
        self.name = name
        self.told: list[int] = []

    async def refresh(self, alerts: Sequence[NotifiedAlert], now: datetime) -> None:
        self.told.append(len(alerts))


async def test_a_refresher_goes_on_by_the_new_hook_and_routes_at_once() -> None:
    old, new = StateRecorder(), StateRecorder()
    refresher = Refresher(old, lambda: [alert_of("a")], tree("other"), now=_now)
    task = asyncio.create_task(refresher.run())
    await asyncio.sleep(1)
    refresher.adopt(old, tree("other"))
    await asyncio.sleep(1)
    assert old.told == [0]
    refresher.adopt(new, tree())
    await asyncio.sleep(1)
    assert (old.told, new.told) == ([0], [1])
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
