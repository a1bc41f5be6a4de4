from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.delivery import DeliveryState
from auditd.alerting.events import SendFailure
from auditd.alerting.grouping import Group
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.notification import NotificationReason
from auditd.alerting.route import Route, RouteNode, build_tree
from auditd.alerting.silence import Silence
from auditd.alerting.superseded import SupersededError
from auditd.hooks.board import Board
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.flusher import AGAIN_SECONDS, YIELD_SECONDS, Flusher
from auditd.hooks.port import Message, RetryLaterError
from tests.unit.hooks.fakes import START, FakeHook, FakeLedger, alert_of, resolved

pytestmark = pytest.mark.looptime


def _now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def _tree(group_by: str = "project") -> RouteNode:
    return build_tree(
        Route(
            hook="ops",
            group_by=(group_by,),
            group_wait=timedelta(seconds=10),
            group_interval=timedelta(minutes=5),
            repeat_interval=timedelta(hours=4),
            routes=(Route(hook="am", matchers=(Matcher("project", Operator.EQUAL, "to-am"),)),),
        )
    )


class World:
    """Board, flusher and deliverer, joined as the daemon does it."""

    def __init__(
        self, hook: FakeHook, *, groups: Iterable[Group] = (), alerts: Iterable[Alert] = ()
    ) -> None:
        self.hook = hook
        self.ledger = FakeLedger()
        self.board = Board(
            _tree(),
            hooks=["ops"],
            alerts={"payments": tuple(alerts)},
            groups={group.key: group for group in groups},
        )
        monotonic = asyncio.get_running_loop().time
        self.deliverer = Deliverer(
            [hook],
            self.ledger,
            pending=(),
            switched_off=(),
            external_url="",
            emit=lambda _: None,
            now=_now,
            monotonic=monotonic,
            random=lambda: 0.5,
        )
        ids = count(1)
        self.flusher = Flusher(
            self.board,
            self.ledger,
            self.deliverer,
            now=_now,
            monotonic=monotonic,
            new_id=lambda: f"msg_{next(ids)}",
        )

    async def poll(self, *alerts: Alert, project: str = "payments") -> None:
        """What a poll does once the alerts are known."""
        async with self.board.lock:
            firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
            groups = self.board.admit(firing, _now())
            self.board.publish(project, alerts, groups.values())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(part.run()) for part in (self.flusher, self.deliverer)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    @property
    def told(self) -> list[list[str]]:
        return [_names(message) for message in self.hook.taken]


def _names(message: Message) -> list[str]:
    return [
        f"{alert.labels['authorization']}:{alert.status}" for alert in message.notification.alerts
    ]


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
        await world.poll(resolved(first, _now()), second)
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
        await world.poll(*alerts[:4], resolved(alerts[4], _now()))
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
        await after.poll(resolved(alert_of("a"), _now()))
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
        await world.poll(alert_of("a"), alert_of("b"), resolved(blind, _now()))
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
    world.board.adopt(_tree("authorization"), ["ops", "am"], {})
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
        for key in world.board.admit([alert_of("a")], _now()):
            world.flusher.yield_to_others(key)
        await world.poll(alert_of("a"))
        await asyncio.sleep(10.5)
        assert world.hook.taken == []
        await asyncio.sleep(YIELD_SECONDS)
        assert len(world.hook.taken) == 1
