from dataclasses import replace
from datetime import datetime

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.life import Transition, advance, depart
from auditd.audit.snapshot import ProjectSnapshot
from tests.unit.alerting.examples import AT, HOUR, MINUTE, RULES, listed, overdue, told

THERE, GONE = listed(overdue()), listed()
NERVOUS = replace(RULES, flap_limit=3, flap_window=30 * MINUTE)


class Trace:
    """One alert, polled again and again."""

    def __init__(self) -> None:
        self.alerts: tuple[Alert, ...] = ()
        self.transitions: list[Transition] = []

    def poll(self, snapshot: ProjectSnapshot, at: datetime) -> Alert:
        self.alerts, transitions = advance(self.alerts, snapshot, NERVOUS, at)
        self.transitions.extend(transitions)
        (alert,) = self.alerts
        return alert

    def toggle(self, *, times: int, at: datetime, every: int = 2) -> datetime:
        """There and gone so many times; when it was gone last."""
        for _ in range(times):
            self.poll(THERE, at)
            at += every * MINUTE
            self.poll(GONE, at)
            at += every * MINUTE
        return at - every * MINUTE


def test_as_many_firings_as_the_limit_are_no_flapping() -> None:
    trace = Trace()
    trace.toggle(times=3, at=AT)
    assert len(trace.transitions) == 6
    assert not any(change.is_flap_start for change in trace.transitions)


def test_one_more_is_told_as_flapping() -> None:
    trace = Trace()
    trace.toggle(times=3, at=AT)
    alert = trace.poll(THERE, AT + 12 * MINUTE)
    assert alert.is_flapping
    assert alert.annotations["flapping"].startswith("it fired more than 3 times within 30m")
    assert trace.transitions[-1].is_flap_start


def test_flapping_is_told_once_and_fires_until_it_stays_away() -> None:
    trace = Trace()
    gone_at = trace.toggle(times=20, at=AT)
    assert len(trace.transitions) == 7
    assert trace.poll(GONE, gone_at + 29 * MINUTE).state is AlertState.FIRING
    alert = trace.poll(GONE, gone_at + 30 * MINUTE)
    assert (alert.state, alert.is_flapping) == (AlertState.RESOLVED, False)
    assert told(trace.transitions[7:]) == [("overdue", "resolved", "cleared")]


def test_what_stays_stops_flapping_without_a_word() -> None:
    trace = Trace()
    trace.toggle(times=5, at=AT)
    back_at = AT + 20 * MINUTE
    assert trace.poll(THERE, back_at).is_flapping
    assert trace.poll(THERE, back_at + 29 * MINUTE).is_flapping
    alert = trace.poll(THERE, back_at + 30 * MINUTE)
    assert not alert.is_flapping
    assert "flapping" not in alert.annotations
    assert len(trace.transitions) == 7


def test_firings_that_are_far_apart_are_no_flapping() -> None:
    trace = Trace()
    trace.toggle(times=20, at=AT, every=15)
    assert len(trace.transitions) == 40


def test_no_more_firings_are_remembered_than_are_needed() -> None:
    trace = Trace()
    trace.toggle(times=20, at=AT, every=0)
    assert [len(alert.recent_firings) for alert in trace.alerts] == [4]


def test_flapping_does_not_hold_what_is_ended_by_order() -> None:
    trace = Trace()
    trace.toggle(times=5, at=AT)
    (alert,), transitions = depart(trace.alerts, AT + HOUR)
    assert told(transitions) == [("overdue", "resolved", "project_removed")]
    assert not alert.is_flapping


def test_flapping_that_was_ended_by_order_is_told_again_when_it_is_back() -> None:
    trace = Trace()
    trace.toggle(times=5, at=AT)
    trace.alerts, _ = depart(trace.alerts, AT + 20 * MINUTE)
    trace.poll(THERE, AT + 21 * MINUTE)
    assert trace.transitions[-1].is_flap_start
