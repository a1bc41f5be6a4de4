"""The clock may be set back; nothing is resolved or forgotten because of it."""

from dataclasses import replace

from auditd.alerting.alert import AlertState
from auditd.alerting.life import advance, forget
from auditd.alerting.rules import CheckRule
from tests.unit.alerting.examples import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    RULES,
    SECOND,
    firing,
    listed,
    overdue,
    resolved,
    stale,
)

SLOW = replace(
    RULES,
    checks={"stale": CheckRule("Old.", for_=10 * MINUTE, keep_firing_for=10 * MINUTE)},
    flap_limit=1,
    flap_window=HOUR,
)


def test_what_fires_goes_on_firing() -> None:
    alerts, _ = advance((), listed(overdue()), RULES, AT)
    (alert,), transitions = advance(alerts, listed(overdue()), RULES, AT - DAY)
    assert (alert.state, transitions) == (AlertState.FIRING, ())


def test_what_waited_before_it_fired_does_not_wait_again() -> None:
    alert = firing("GitAuthorizationStale", check="stale", severity="warning")
    after, transitions = advance([alert], listed(stale()), SLOW, AT - DAY)
    assert [one.state for one in after if one.is_open] == [AlertState.FIRING]
    assert [change.alert.state for change in transitions] == [
        AlertState.RESOLVED,  # the example has fewer labels
        AlertState.FIRING,
    ]


def test_what_is_pending_waits_from_the_new_time_on() -> None:
    alerts, _ = advance((), listed(stale()), SLOW, AT)
    (alert,), _ = advance(alerts, listed(stale()), SLOW, AT - DAY)
    assert (alert.state, alert.active_at) == (AlertState.PENDING, AT - DAY)
    (alert,), _ = advance((alert,), listed(stale()), SLOW, AT - DAY + 10 * MINUTE)
    assert alert.state is AlertState.FIRING


def test_what_is_kept_firing_is_kept_from_the_new_time_on() -> None:
    kept = replace(firing(check="stale"), missing_since=AT)
    alerts, _ = advance([kept], listed(), SLOW, AT - DAY)
    assert [alert.missing_since for alert in alerts] == [AT - DAY]
    alerts, _ = advance(alerts, listed(), SLOW, AT - DAY + 10 * MINUTE - SECOND)
    assert [alert.state for alert in alerts] == [AlertState.FIRING]
    alerts, _ = advance(alerts, listed(), SLOW, AT - DAY + 10 * MINUTE)
    assert [alert.state for alert in alerts] == [AlertState.RESOLVED]


def test_no_alert_ends_before_it_fired() -> None:
    (alert,), _ = advance([firing()], listed(), RULES, AT - DAY)
    assert alert.resolved_at == alert.fired_at == AT


def test_what_was_resolved_is_not_forgotten_early() -> None:
    alert = resolved(firing(), AT)
    assert forget([alert], HOUR, AT - DAY) == (alert,)


def test_firings_of_the_future_count_as_of_now() -> None:
    alerts, _ = advance((), listed(overdue()), RULES, AT)
    (alert,), _ = advance(alerts, listed(overdue()), RULES, AT - DAY)
    assert alert.recent_firings == (AT - DAY,)
