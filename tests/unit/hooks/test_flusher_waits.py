from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.alerting.delivery import DeliveryState
from auditd.alerting.grouping import Group
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.silence import Silence
from auditd.alerting.superseded import SupersededError
from auditd.hooks.flusher import AGAIN_SECONDS, YIELD_SECONDS
from tests.unit.hooks.fakes import START, FakeHook, alert_of, resolved
from tests.unit.hooks.flushing import World, now, tree

pytestmark = pytest.mark.looptime


async def test_silenced_and_blinded_alerts_wait() -> None:
    world = World(FakeHook())
    silence = Silence(
        id="s",
        matchers=(Matcher("authorization", Operator.EQUAL, "a"),),
        starts_at=START,
        ends_at=START + timedelta(minutes=20),
        author="me",
        comment="",
    )
    world.board.publish_silence(silence)
    blind = alert_of("")
    blind = replace(
        blind,
        fingerprint="blind",
        labels={**blind.labels, "check": "blind", "alertname": "ProjectBlind", "authorization": ""},
    )
    async with world.running():
        await world.poll(alert_of("a"), alert_of("b"), blind)
        await asyncio.sleep(11)
        assert world.told == [[":firing"]]
        await world.poll(alert_of("a"), alert_of("b"), resolved(blind, now()))
        await asyncio.sleep(301)
        assert world.told[1] == ["b:firing", ":resolved"]
        await asyncio.sleep(1200)
    assert world.told[2] == ["a:firing", "b:firing"]


async def test_a_flush_under_way_is_finished_when_the_loop_is_stopped() -> None:
    world = World(FakeHook())
    entered, go_on = asyncio.Event(), asyncio.Event()
    write = world.ledger.record_flush

    async def slow(group: Group, delivery: object) -> None:
        entered.set()
        await go_on.wait()
        await write(group, delivery)  # type: ignore[arg-type] # passed on as it came

    world.ledger.record_flush = slow  # type: ignore[method-assign] # a slow disk
    async with world.running():
        await world.poll(alert_of("a"))
        await entered.wait()
        asyncio.get_running_loop().call_later(1, go_on.set)
    assert world.told == [["a:firing"]]
    assert [item.state for item in world.ledger.deliveries.values()] == [DeliveryState.DELIVERED]


async def test_groups_that_are_due_together_are_written_together_and_fail_alone() -> None:
    world = World(FakeHook())
    asked: list[str] = []
    write = world.ledger.record_flush

    async def refuse_one(group: Group, delivery: object) -> None:
        asked.append(group.labels["project"])
        await asyncio.sleep(0.1)
        if group.labels["project"] == "p1" and len(asked) == 3:
            raise OSError(5, "Input/output error")
        await write(group, delivery)  # type: ignore[arg-type] # passed on as it came

    world.ledger.record_flush = refuse_one  # type: ignore[method-assign] # a disk with one fault
    async with world.running():
        for number in range(3):
            project = f"p{number}"
            await world.poll(alert_of(project, project=project), project=project)
        await asyncio.sleep(10.05)
        assert asked == ["p0", "p1", "p2"]
        await asyncio.sleep(1)
        assert sorted(world.told) == [["p0:firing"], ["p2:firing"]]
        await asyncio.sleep(5)
    assert world.told[2:] == [["p1:firing"]]


async def test_a_hook_with_a_pace_delays_no_other() -> None:
    world = World(FakeHook("am", messages_per_minute=1))
    plain = FakeHook()
    world.deliverer.adopt([world.hook, plain])
    world.board.adopt(tree("authorization"), ["ops", "am"], {})
    async with world.running():
        await world.poll(*(alert_of(name, project="to-am") for name in "abc"), project="to-am")
        await world.poll(*(alert_of(name) for name in "def"))
        await asyncio.sleep(11)
        assert (len(world.hook.taken), len(plain.taken)) == (1, 3)
        await asyncio.sleep(120)
    assert len(world.hook.taken) == 3


async def test_a_switched_off_hook_is_told_once_it_is_on_again() -> None:
    world = World(FakeHook())
    world.deliverer._lanes["ops"].switch(is_on=False)
    async with world.running():
        await world.poll(alert_of("a"))
        await asyncio.sleep(3600)
        assert world.ledger.deliveries == {}
        world.deliverer.switch_on("ops")
        world.flusher.realign()
        await asyncio.sleep(1)
    assert world.told == [["a:firing"]]


async def test_a_thousand_groups_are_told_within_a_second_of_their_time() -> None:
    world = World(FakeHook())
    async with world.running():
        for number in range(1000):
            project = f"p{number}"
            await world.poll(alert_of("a", project=project), project=project)
        await asyncio.sleep(11)
    assert len(world.told) == 1000


async def test_a_flush_that_another_replica_was_faster_with_is_done_on_what_it_wrote() -> None:
    world = World(FakeHook())
    caught_up: list[float] = []

    async def catch_up() -> None:
        caught_up.append(asyncio.get_running_loop().time())
        world.ledger.fault = None

    world.flusher.share(catch_up)
    world.ledger.fault = SupersededError()
    async with world.running():
        await world.poll(alert_of("a"))
        await asyncio.sleep(10.0 + AGAIN_SECONDS / 2)
        assert len(caught_up) == 1
        assert world.hook.taken == []
        await asyncio.sleep(AGAIN_SECONDS)
        assert len(world.hook.taken) == 1


async def test_a_group_of_another_replica_is_told_a_moment_later() -> None:
    world = World(FakeHook())
    async with world.running():
        for key in world.board.admit([alert_of("a")], now()):
            world.flusher.yield_to_others(key)
        await world.poll(alert_of("a"))
        await asyncio.sleep(10.5)
        assert world.hook.taken == []
        await asyncio.sleep(YIELD_SECONDS)
        assert len(world.hook.taken) == 1
