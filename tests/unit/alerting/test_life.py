from dataclasses import replace

import pytest

from auditd.alerting.alert import Alert, AlertState, EndReason
from auditd.alerting.life import advance, depart, forget
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from tests.unit.alerting.examples import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    PROJECT,
    RULES,
    failed,
    firing,
    listed,
    overdue,
    resolved,
    stale,
    states,
    told,
)

PATIENT = replace(
    RULES, checks={**RULES.checks, "stale": CheckRule("It is old.", for_=10 * MINUTE)}
)
TENACIOUS = replace(
    RULES, checks={**RULES.checks, "stale": CheckRule("It is old.", keep_firing_for=10 * MINUTE)}
)


def after(
    *polls: tuple[ProjectSnapshot, int], rules: Rules = RULES
) -> tuple[tuple[Alert, ...], list[tuple[str, str, str]]]:
    """The alerts after polls at these minutes, and what the last one told."""
    alerts: tuple[Alert, ...] = ()
    changes: list[tuple[str, str, str]] = []
    for snapshot, minutes in polls:
        alerts, transitions = advance(alerts, snapshot, rules, AT + minutes * MINUTE)
        changes = told(transitions)
    return alerts, changes


def test_a_finding_fires_when_it_is_first_seen() -> None:
    (alert,), changes = after((listed(overdue()), 0))
    assert alert.state is AlertState.FIRING
    assert (alert.active_at, alert.since, alert.fired_at, alert.last_seen_at) == (AT, AT, AT, AT)
    assert changes == [("overdue", "firing", "")]


def test_since_is_what_the_facts_tell_where_they_do() -> None:
    (alert,), _ = after((listed(stale()), 0))
    assert (alert.since, alert.active_at) == (AT - 10 * DAY, AT)


def test_a_finding_that_stays_tells_nothing_new() -> None:
    (alert,), changes = after((listed(overdue()), 0), (listed(overdue()), 5))
    assert (alert.fired_at, alert.last_seen_at) == (AT, AT + 5 * MINUTE)
    assert changes == []


def test_another_summary_is_no_transition() -> None:
    news = replace(overdue(), summary="it is still overdue")
    (alert,), changes = after((listed(overdue()), 0), (listed(news), 5))
    assert alert.annotations["summary"] == "it is still overdue"
    assert changes == []


def test_a_finding_that_is_gone_ends_the_alert() -> None:
    (alert,), changes = after((listed(overdue()), 0), (listed(), 5))
    assert (alert.resolved_at, alert.end_reason) == (AT + 5 * MINUTE, EndReason.CLEARED)
    assert changes == [("overdue", "resolved", "cleared")]


def test_a_resolved_alert_is_kept_and_told_once() -> None:
    (alert,), changes = after((listed(overdue()), 0), (listed(), 5), (listed(), 10))
    assert alert.resolved_at == AT + 5 * MINUTE
    assert changes == []


def test_a_resolved_alert_is_forgotten_when_exactly_the_retention_has_passed() -> None:
    alert = resolved(firing(), AT)
    assert forget([alert], HOUR, AT + HOUR - MINUTE) == (alert,)
    assert forget([alert], HOUR, AT + HOUR) == ()
    assert advance([alert], listed(), RULES, AT + RULES.retention) == ((), ())


def test_an_open_alert_is_never_forgotten() -> None:
    assert forget([firing()], HOUR, AT + DAY) == (firing(),)


def test_what_comes_back_fires_again() -> None:
    polls = (listed(overdue()), 0), (listed(), 5), (listed(overdue()), 10)
    (alert,), changes = after(*polls)
    assert (alert.fired_at, alert.active_at) == (AT + 10 * MINUTE, AT + 10 * MINUTE)
    assert (alert.resolved_at, alert.end_reason) == (None, None)
    assert changes == [("overdue", "firing", "")]


def test_a_finding_is_pending_until_it_stood_for_long_enough() -> None:
    (alert,), changes = after((listed(stale()), 0), (listed(stale()), 9), rules=PATIENT)
    assert (alert.state, alert.fired_at) == (AlertState.PENDING, None)
    assert changes == []


def test_exactly_long_enough_is_enough() -> None:
    (alert,), changes = after((listed(stale()), 0), (listed(stale()), 10), rules=PATIENT)
    assert (alert.active_at, alert.fired_at) == (AT, AT + 10 * MINUTE)
    assert changes == [("stale", "firing", "")]


def test_a_pending_alert_vanishes_with_its_finding() -> None:
    assert after((listed(stale()), 0), (listed(), 5), rules=PATIENT) == ((), [])


def test_a_pending_alert_does_not_lose_the_end_of_the_former_episode() -> None:
    polls = [(listed(stale()), 0), (listed(stale()), 10), (listed(), 15), (listed(stale()), 20)]
    (alert,), changes = after(*polls, rules=PATIENT)
    assert (alert.state, changes) == (AlertState.PENDING, [])
    assert (alert.resolved_at, alert.active_at) == (AT + 15 * MINUTE, AT + 20 * MINUTE)
    (alert,), changes = after(*polls, (listed(), 25), rules=PATIENT)
    assert (alert.state, changes) == (AlertState.RESOLVED, [])
    assert (alert.fired_at, alert.resolved_at) == (AT + 10 * MINUTE, AT + 15 * MINUTE)
    assert alert.active_at == alert.fired_at


def test_an_alert_can_be_kept_firing_after_its_finding_has_gone() -> None:
    polls = [(listed(stale()), 0), (listed(), 5), (listed(), 14)]
    (alert,), changes = after(*polls, rules=TENACIOUS)
    assert (alert.state, alert.missing_since) == (AlertState.FIRING, AT + 5 * MINUTE)
    assert changes == []
    (alert,), changes = after(*polls, (listed(), 15), rules=TENACIOUS)
    assert (alert.resolved_at, alert.missing_since) == (AT + 15 * MINUTE, None)
    assert changes == [("stale", "resolved", "cleared")]


def test_a_finding_that_comes_back_meanwhile_starts_the_keeping_anew() -> None:
    polls = (listed(stale()), 0), (listed(), 5), (listed(stale()), 10), (listed(), 20)
    (alert,), changes = after(*polls, rules=TENACIOUS)
    assert (alert.state, alert.missing_since) == (AlertState.FIRING, AT + 20 * MINUTE)
    assert changes == []


def test_another_severity_is_another_alert() -> None:
    worse = listed(stale(severity=Severity.CRITICAL))
    alerts, changes = after((listed(stale()), 0), (worse, 5))
    assert states(alerts) == [("stale", "critical", "firing"), ("stale", "warning", "resolved")]
    assert changes == [("stale", "resolved", "severity_changed"), ("stale", "firing", "")]


def test_another_severity_does_not_wait_again() -> None:
    worse = listed(stale(severity=Severity.CRITICAL))
    alerts, _ = after((listed(stale()), 0), (listed(stale()), 10), (worse, 15), rules=PATIENT)
    assert states(alerts) == [("stale", "critical", "firing"), ("stale", "warning", "resolved")]
    assert {alert.active_at for alert in alerts} == {AT}


def test_another_severity_while_pending_waits_only_for_the_rest() -> None:
    worse = listed(stale(severity=Severity.CRITICAL))
    polls = (listed(stale()), 0), (worse, 5)
    alerts, changes = after(*polls, rules=PATIENT)
    assert (states(alerts), changes) == ([("stale", "critical", "pending")], [])
    alerts, changes = after(*polls, (worse, 10), rules=PATIENT)
    assert changes == [("stale", "firing", "")]


def test_other_labels_are_another_alert_too() -> None:
    relabelled = replace(
        listed(overdue()), project=replace(PROJECT, labels=(("team", "platform"),))
    )
    alerts, changes = after((listed(overdue()), 0), (relabelled, 5))
    assert changes == [("overdue", "resolved", "labels_changed"), ("overdue", "firing", "")]
    assert sorted(alert.labels["team"] for alert in alerts if alert.is_open) == ["platform"]


def test_a_removed_authorization_ends_its_alerts_at_once() -> None:
    gone = listed(names=["gh-side"])
    _, changes = after((listed(stale()), 0), (gone, 5), rules=TENACIOUS)
    assert changes == [("stale", "resolved", "authorization_removed")]


def test_a_project_that_leaves_ends_its_alerts() -> None:
    alerts, _ = after((listed(overdue(), stale()), 0), rules=PATIENT)
    left, transitions = depart((*alerts, resolved(firing(), AT)), AT + HOUR)
    assert told(transitions) == [("overdue", "resolved", "project_removed")]
    assert states(left) == [("overdue", "critical", "resolved")] * 2
    assert depart(left, AT + DAY) == (left, ())


@pytest.mark.parametrize("is_up", [True, False])
def test_a_disabled_check_ends_its_alerts_whatever_the_poll_brought(*, is_up: bool) -> None:
    alerts, _ = after((listed(overdue()), 0))
    seen = listed(overdue()) if is_up else failed(listed(overdue()))
    _, transitions = advance(alerts, seen, Rules(checks={}), AT + MINUTE)
    assert told(transitions) == [("overdue", "resolved", "check_disabled")]
