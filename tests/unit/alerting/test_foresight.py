from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import Alert
from auditd.alerting.foresight import next_turn
from auditd.alerting.life import advance
from auditd.alerting.rules import Rules
from auditd.audit.snapshot import ProjectSnapshot
from tests.unit.alerting.examples import AT, HOUR, MINUTE, RULES, listed, overdue
from tests.unit.alerting.test_life_properties import polls, run

moments = st.sampled_from([timedelta(microseconds=1), MINUTE, 9 * MINUTE, HOUR, 3 * HOUR])


def unseen(alerts: tuple[Alert, ...]) -> list[Alert]:
    return [replace(alert, last_seen_at=AT) for alert in alerts]


@given(polls(), st.lists(moments, min_size=1))
def test_before_the_turn_the_same_poll_changes_only_when_alerts_were_seen(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]], later: list[timedelta]
) -> None:
    for (snapshot, rules, at), (alerts, _) in zip(trace, run(trace), strict=True):
        if not snapshot.is_up:
            continue
        turn = next_turn(alerts, rules, at)
        for wait in (*later, turn - at - timedelta(microseconds=1)):
            if at < at + wait < turn and wait < 1000 * HOUR:
                again, transitions = advance(alerts, snapshot, rules, at + wait)
                assert transitions == ()
                assert unseen(again) == unseen(alerts)
                for before, after in zip(alerts, again, strict=True):
                    moved = before.last_seen_at == at and after.last_seen_at == at + wait
                    assert moved or after == before


def test_a_firing_that_is_forgotten_at_once_leaves_no_rest() -> None:
    rules = replace(RULES, flap_window=timedelta(0))
    alerts, _ = advance((), listed(overdue()), rules, AT)
    assert next_turn(alerts, rules, AT) == AT
