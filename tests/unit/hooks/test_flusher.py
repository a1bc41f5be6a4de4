from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from auditd.alerting.events import SendFailure
from auditd.alerting.notification import NotificationReason
from auditd.hooks.port import Message, RetryLaterError
from tests.unit.hooks.fakes import FakeHook, alert_of, resolved
from tests.unit.hooks.flushing import World, now

pytestmark = pytest.mark.looptime


async def test_a_group_is_told_after_its_wait_and_then_of_changes_in_order() -> None:
    world = World(FakeHook())
    first, second = alert_of("a"), alert_of("b")
    async with world.running():
        await world.poll(first)
        await asyncio.sleep(5)
        await world.poll(first, second)
        await asyncio.sleep(4)
        assert world.told == []
        await asyncio.sleep(2)
        assert world.told == [["a:firing", "b:firing"]]
        await world.poll(resolved(first, now()), second)
        await asyncio.sleep(5 * 60)
    assert world.told[1:] == [["a:resolved", "b:firing"]]
    assert [message.id for message in world.hook.taken] == ["msg_1", "msg_2"]


async def test_what_happens_while_a_message_is_owed_is_merged_into_the_next() -> None:
    def down_for_half_an_hour(_: Message) -> None:
        if asyncio.get_running_loop().time() < 1800:
            raise RetryLaterError(SendFailure.CONNECT, "down")

    world = World(FakeHook(behave=down_for_half_an_hour))
    alerts = [alert_of(f"a{number}") for number in range(5)]
    async with world.running():
        for number in range(1, 6):
            await world.poll(*alerts[:number])
            await asyncio.sleep(300)
            assert len(world.ledger.pending) == 1
        await world.poll(*alerts[:4], resolved(alerts[4], now()))
        await asyncio.sleep(3600)
    assert world.told == [
        ["a0:firing"],
        ["a1:firing", "a2:firing", "a3:firing", "a0:firing"],
    ]


async def test_a_receiver_with_a_limit_gets_fewer_and_fuller_messages() -> None:
    world = World(FakeHook(messages_per_minute=1))
    async with world.running():
        for number in range(3):
            project = f"p{number}"
            await world.poll(alert_of("a", project=project), project=project)
        await asyncio.sleep(11)
        assert len(world.told) == 1
        await world.poll(alert_of("a", project="p2"), alert_of("b", project="p2"), project="p2")
        await asyncio.sleep(125)
    assert world.told == [["a:firing"], ["a:firing"], ["a:firing", "b:firing"]]


async def test_nothing_is_told_before_it_is_written_and_all_of_it_after() -> None:
    world = World(FakeHook())
    world.ledger.fault = OSError(28, "No space left on device")
    async with world.running():
        await world.poll(alert_of("a"))
        await asyncio.sleep(600)
        assert world.hook.attempts == []
        world.ledger.fault = None
        await asyncio.sleep(10)
    assert world.told == [["a:firing"]]
    assert len(world.ledger.deliveries) == 1


async def test_an_unchanged_group_is_repeated_and_costs_no_write_in_between() -> None:
    world = World(FakeHook())
    async with world.running():
        await world.poll(alert_of("a"))
        await asyncio.sleep(60)
        writes = world.ledger.writes
        await asyncio.sleep(timedelta(hours=3.9).total_seconds())
        assert world.ledger.writes == writes
        await asyncio.sleep(timedelta(hours=0.2).total_seconds())
    assert world.told == [["a:firing"], ["a:firing"]]
    assert world.hook.taken[1].notification.reason is NotificationReason.REPEAT


async def test_after_a_restart_nothing_is_told_twice_and_the_end_is_told() -> None:
    before = World(FakeHook())
    async with before.running():
        await before.poll(alert_of("a"))
        await asyncio.sleep(11)
    after = World(
        FakeHook(), groups=before.ledger.groups.values(), alerts=before.board.alerts.values()
    )
    async with after.running():
        await asyncio.sleep(3600)
        assert after.told == []
        await after.poll(resolved(alert_of("a"), now()))
        await asyncio.sleep(300)
        assert after.told == [["a:resolved"]]
        await asyncio.sleep(300)
    assert after.board.groups == {}
    (group,) = after.ledger.groups.values()
    assert group.members == {}


async def test_groups_of_a_hook_that_is_told_the_state_have_no_deliveries() -> None:
    world = World(FakeHook())
    async with world.running():
        await world.poll(alert_of("a", project="to-am"), project="to-am")
        await asyncio.sleep(3600)
    assert world.board.groups == {}
    assert world.ledger.deliveries == {}
