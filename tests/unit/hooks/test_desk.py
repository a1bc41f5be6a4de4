from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import datetime

import pytest

from auditd.alerting.alert import Alert, AlertState, EndReason
from auditd.alerting.alert_events import AlertEvent, AlertFired, AlertResolved, AlertSuppressed
from auditd.alerting.grouping import Group
from auditd.alerting.hush import Suppression
from auditd.alerting.life import Transition
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.route import Route, build_tree
from auditd.alerting.silence import Silence
from auditd.alerting.superseded import SupersededError
from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.board import Board
from auditd.hooks.desk import AT_ONCE, AlertDesk
from tests.unit.alerting.examples import AT, HOUR, PROJECT, RULES, listed, overdue


class Ledger:
    """Keeps what polls made, unless it is told to fail."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.polls: list[tuple[list[Alert], list[Transition], list[Group]]] = []
        self.forgotten: list[tuple[str, list[Alert]]] = []
        self.times: list[tuple[datetime | None, datetime | None]] = []

    async def record_poll(
        self,
        snapshot: ProjectSnapshot,
        alerts: Iterable[Alert],
        transitions: Iterable[Transition],
        groups: Iterable[Group],
    ) -> None:
        if self.error:
            raise self.error
        self.polls.append((list(alerts), list(transitions), list(groups)))

    def record_times(self, snapshot: ProjectSnapshot, sighted_at: datetime | None) -> None:
        self.times.append((snapshot.attempted_at, sighted_at))

    async def forget_project(
        self, name: str, alerts: Iterable[Alert] = (), transitions: Iterable[Transition] = ()
    ) -> None:
        if self.error:
            raise self.error
        self.forgotten.append((name, list(alerts)))


class Bench:
    def __init__(self) -> None:
        tree = build_tree(Route(hook="ops", group_by=("project",)))
        self.board = Board(tree, hooks=["ops"], alerts={}, groups={})
        self.ledger = Ledger()
        self.events: list[AlertEvent] = []
        self.now = AT
        self.desk = AlertDesk(
            self.board, self.ledger, RULES, emit=self.events.append, now=lambda: self.now
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_finding_is_an_alert_and_owed_in_one_transaction(bench: Bench) -> None:
    await bench.desk.record(listed(overdue()))
    ((alerts, transitions, groups),) = bench.ledger.polls
    assert [transition.alert for transition in transitions] == alerts
    assert [set(group.members) for group in groups] == [{alerts[0].fingerprint}]
    assert bench.board.alerts_of("payments") == tuple(alerts)
    assert bench.events == [AlertFired(alerts[0], is_flapping=False)]


async def test_what_cannot_be_written_is_not_published_and_comes_with_the_next_poll(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.ledger.error = OSError("disk full")
    await bench.desk.record(listed(overdue()))
    assert bench.board.alerts_of("payments") == ()
    assert bench.events == []
    assert "disk full" in caplog.text
    bench.ledger.error = None
    await bench.desk.record(listed(overdue()))
    assert [type(event) for event in bench.events] == [AlertFired]


async def test_an_end_is_told_with_its_reason(bench: Bench) -> None:
    await bench.desk.record(listed(overdue()))
    bench.now += HOUR
    await bench.desk.record(listed())
    event = bench.events[-1]
    assert isinstance(event, AlertResolved)
    assert event.alert.end_reason is EndReason.CLEARED
    assert bench.ledger.polls[-1][2] == []


async def test_a_silenced_alert_is_told_as_suppressed(bench: Bench) -> None:
    matcher = Matcher("project", Operator.EQUAL, "payments")
    bench.board.publish_silence(Silence("s", (matcher,), AT, AT + HOUR, "me", "PLAT-42"))
    await bench.desk.record(listed(overdue()))
    fired, suppressed = bench.events
    assert isinstance(fired, AlertFired)
    assert suppressed == AlertSuppressed(fired.alert, "ops", Suppression.SILENCED)


@pytest.mark.looptime
async def test_a_project_that_left_ends_its_alerts_and_is_forgotten(bench: Bench) -> None:
    await bench.desk.record(listed(overdue()))
    task = asyncio.create_task(bench.desk.run())
    bench.desk.depart("payments")
    await asyncio.sleep(1)
    task.cancel()
    ((name, alerts),) = bench.ledger.forgotten
    assert name == "payments"
    assert [alert.end_reason for alert in alerts] == [EndReason.PROJECT_REMOVED]


@pytest.mark.looptime
async def test_a_departure_that_cannot_be_written_is_tried_again(bench: Bench) -> None:
    await bench.desk.record(listed(overdue()))
    bench.ledger.error = OSError("disk full")
    task = asyncio.create_task(bench.desk.run())
    bench.desk.depart("payments")
    await asyncio.sleep(1)
    bench.ledger.error = None
    await asyncio.sleep(5)
    assert [name for name, _ in bench.ledger.forgotten] == ["payments"]
    task.cancel()


async def test_a_poll_that_is_cancelled_is_recorded_as_a_whole(bench: Bench) -> None:
    slow = asyncio.Event()

    class Slow(Ledger):
        async def record_poll(
            self,
            snapshot: ProjectSnapshot,
            alerts: Iterable[Alert],
            transitions: Iterable[Transition],
            groups: Iterable[Group],
        ) -> None:
            await slow.wait()
            await super().record_poll(snapshot, alerts, transitions, groups)

    ledger = Slow()
    desk = AlertDesk(bench.board, ledger, RULES, emit=bench.events.append, now=lambda: AT)
    task = asyncio.create_task(desk.record(listed(overdue())))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    slow.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ledger.polls) == 1
    assert bench.board.alerts_of("payments") != ()


async def test_a_poll_without_news_only_moves_times(bench: Bench) -> None:
    snapshot = listed(overdue())
    await bench.desk.record(snapshot)
    bench.now = AT + HOUR / 2
    await bench.desk.record(replace(snapshot, attempted_at=bench.now, succeeded_at=bench.now))
    assert len(bench.ledger.polls) == 1
    assert bench.ledger.times == [(bench.now, bench.now)]
    (alert,) = bench.board.alerts_of("payments")
    assert alert.last_seen_at == bench.now
    assert bench.board.alerts == {alert.fingerprint: alert}


async def test_only_what_alerts_are_made_of_already_is_noted_without_being_recorded(
    bench: Bench,
) -> None:
    snapshot = listed(overdue())
    assert not bench.desk.note(snapshot)
    assert bench.ledger.times == []
    await bench.desk.record(snapshot)
    bench.now = AT + HOUR / 2
    assert bench.desk.note(replace(snapshot, attempted_at=bench.now))
    assert bench.ledger.times == [(bench.now, bench.now)]
    assert not bench.desk.note(listed())


async def test_time_wakes_what_rests(bench: Bench) -> None:
    snapshot = listed(overdue())
    await bench.desk.record(snapshot)
    bench.now = AT + RULES.flap_window
    await bench.desk.record(snapshot)
    assert len(bench.ledger.polls) == 2
    assert bench.board.alerts_of("payments")[0].recent_firings == ()


@pytest.mark.parametrize("how", ["rules", "findings", "clock", "fault"])
async def test_whatever_alerts_are_made_of_wakes_them(bench: Bench, how: str) -> None:
    snapshot = listed(overdue())
    if how == "fault":
        bench.ledger.error = OSError("disk full")
    await bench.desk.record(snapshot)
    bench.ledger.error = None
    before = len(bench.ledger.polls)
    if how == "rules":
        bench.desk.adopt(replace(RULES))
    if how == "findings":
        snapshot = listed(overdue(), overdue("gh-side"))
    bench.now = AT - HOUR if how == "clock" else AT + HOUR / 2
    await bench.desk.record(snapshot)
    assert len(bench.ledger.polls) == before + 1
    assert bench.ledger.times == []


class SlowLedger(Ledger):
    """Writes only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()
        self.refused: set[str] = set()

    async def record_poll(
        self,
        snapshot: ProjectSnapshot,
        alerts: Iterable[Alert],
        transitions: Iterable[Transition],
        groups: Iterable[Group],
    ) -> None:
        await super().record_poll(snapshot, alerts, transitions, groups)
        await self.go_on.wait()
        if snapshot.project.name in self.refused:
            msg = "not this one"
            raise OSError(msg)


_NAMES = ("payments", "orders", "stock")


@asynccontextmanager
async def _polls_under_way(
    ledger: SlowLedger, *, is_locked: bool = False, names: Iterable[str] = _NAMES
) -> AsyncIterator[tuple[Board, AlertDesk, dict[str, asyncio.Task[None]]]]:
    """One is written and the others wait; or all wait for the board's lock and are written then."""
    board = Board(build_tree(Route(hook="ops")), hooks=["ops"], alerts={}, groups={})
    desk = AlertDesk(board, ledger, RULES, emit=lambda _: None, now=lambda: AT)
    polls = {}
    async with board.lock if is_locked else nullcontext():
        for name in names:
            project = replace(PROJECT, name=name, project_id=name)
            snapshot = replace(listed(overdue()), project=project)
            polls[name] = asyncio.create_task(desk.record(snapshot))
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    yield board, desk, polls
    ledger.go_on.set()
    await asyncio.wait(polls.values())


@pytest.mark.looptime
async def test_polls_that_come_together_are_written_together_and_lose_no_member() -> None:
    ledger = SlowLedger()
    async with _polls_under_way(ledger, is_locked=True) as (board, _, _):
        assert [len(groups[0].members) for _, _, groups in ledger.polls] == [1, 2, 3]
        assert board.groups == {}
    (together,) = board.groups.values()
    assert together.members.keys() == board.alerts.keys()
    assert len(board.alerts) == 3


@pytest.mark.looptime
async def test_polls_that_come_while_others_are_written_wait_and_go_by_them() -> None:
    ledger = SlowLedger()
    async with _polls_under_way(ledger) as (board, _, _):
        assert len(ledger.polls) == 1
    assert [len(groups[0].members) for _, _, groups in ledger.polls] == [1, 2, 3]
    (together,) = board.groups.values()
    assert together.members.keys() == board.alerts.keys()


@pytest.mark.looptime
async def test_one_poll_that_cannot_be_written_is_left_out_alone() -> None:
    ledger = SlowLedger()
    ledger.refused = {"orders"}
    async with _polls_under_way(ledger, is_locked=True) as (board, _, _):
        pass
    assert board.projects == {"payments", "stock"}


@pytest.mark.looptime
async def test_a_poll_that_is_given_up_while_it_waits_is_not_recorded() -> None:
    ledger = SlowLedger()
    async with _polls_under_way(ledger) as (board, _, polls):
        polls["orders"].cancel()
        await asyncio.wait({polls["orders"]})
    assert board.projects == {"payments", "stock"}


@pytest.mark.looptime
async def test_a_project_ends_after_its_poll_that_came_before() -> None:
    ledger = SlowLedger()
    async with _polls_under_way(ledger) as (board, desk, _):
        running = asyncio.create_task(desk.run())
        desk.depart("stock")
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    running.cancel()
    assert [name for name, _ in ledger.forgotten] == ["stock"]
    assert all(alert.state is AlertState.RESOLVED for alert in board.alerts_of("stock"))


@pytest.mark.looptime
async def test_only_so_many_polls_are_written_at_once() -> None:
    ledger = SlowLedger()
    names = [f"p{number}" for number in range(2 * AT_ONCE)]
    async with _polls_under_way(ledger, is_locked=True, names=names) as (board, _, _):
        assert len(ledger.polls) == AT_ONCE
    assert len(ledger.polls) == len(board.projects) == len(names)


@pytest.mark.looptime
async def test_two_polls_of_a_project_are_recorded_one_after_the_other() -> None:
    ledger = SlowLedger()
    async with _polls_under_way(ledger, is_locked=True, names=["p", "p"]):
        assert len(ledger.polls) == 1
    fired = [len(transitions) for _, transitions, _ in ledger.polls]
    assert fired == [1, 0]


async def test_a_defect_while_polls_are_published_keeps_nobody_waiting(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str) -> None:
        msg = "a defect"
        raise ValueError(msg)

    bench.board.listen(broken)
    await bench.desk.record(listed(overdue()))
    assert "a defect" in caplog.text
    await bench.desk.record(listed())
    assert len(bench.ledger.polls) == 2


async def test_a_poll_that_another_replica_superseded_is_for_the_poller_to_do_again(
    bench: Bench,
) -> None:
    bench.ledger.error = SupersededError()
    with pytest.raises(SupersededError):
        await bench.desk.record(listed(overdue()))
    assert bench.board.alerts_of("payments") == ()
    caught_up: list[int] = []

    async def catch_up() -> None:
        caught_up.append(1)

    bench.desk.share(catch_up)
    await bench.desk.catch_up()
    assert caught_up == [1]
