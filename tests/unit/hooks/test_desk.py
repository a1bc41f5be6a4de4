from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from auditd.alerting.alert import Alert, EndReason
from auditd.alerting.alert_events import AlertEvent, AlertFired, AlertResolved, AlertSuppressed
from auditd.alerting.grouping import Group
from auditd.alerting.hush import Suppression
from auditd.alerting.life import Transition
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.route import Route, build_tree
from auditd.alerting.silence import Silence
from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.board import Board
from auditd.hooks.desk import AlertDesk
from tests.unit.alerting.examples import AT, HOUR, RULES, listed, overdue


class Ledger:
    """Keeps what polls made, unless it is told to fail."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.polls: list[tuple[list[Alert], list[Transition], list[Group]]] = []
        self.forgotten: list[tuple[str, list[Alert]]] = []

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
