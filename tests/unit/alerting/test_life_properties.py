from dataclasses import replace
from datetime import datetime
from random import Random
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.life import Transition, advance
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.finding import Finding, Severity
from auditd.audit.snapshot import ProjectSnapshot
from tests.unit.alerting.examples import AT, HOUR, MINUTE, RULES, failed, listed, overdue, stale

NAMES = ("gh-main", "gh-side")
DELAYS = st.sampled_from([0 * MINUTE, MINUTE, 10 * MINUTE])

found = st.builds(overdue, st.sampled_from(NAMES)) | st.builds(
    stale, st.sampled_from(NAMES), st.sampled_from([Severity.WARNING, Severity.CRITICAL])
)
findings = st.lists(found, max_size=4, unique_by=lambda finding: finding.key)
names = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
check_rules = st.builds(CheckRule, st.just("It is wrong."), DELAYS, DELAYS)
rule_sets = st.builds(
    Rules,
    checks=st.dictionaries(st.sampled_from(["overdue", "stale"]), check_rules),
    flap_limit=st.integers(1, 3),
    flap_window=st.sampled_from([5 * MINUTE, HOUR]),
    retention=st.just(HOUR),
)
steps = st.sampled_from([0 * MINUTE, MINUTE, 5 * MINUTE, 20 * MINUTE, -5 * MINUTE, -HOUR])

Outcome: TypeAlias = tuple[tuple[Alert, ...], tuple[Transition, ...]]


@st.composite
def polls(draw: st.DrawFn) -> list[tuple[ProjectSnapshot, Rules, datetime]]:
    """Polls of one project; a few fail, rules change, and the clock is set back at times."""
    at, rules, trace = AT, draw(rule_sets), []
    snapshot = listed()
    for step in draw(st.lists(steps, min_size=1, max_size=12)):
        at += step
        if draw(st.integers(0, 5)) == 0:
            rules = draw(rule_sets)
        if draw(st.integers(0, 3)) == 0:
            seen = tuple(one for one in snapshot.findings if one.check != "blind")
            snapshot = failed(replace(snapshot, findings=seen), is_blind=draw(st.booleans()))
        else:
            chosen, present = draw(findings), draw(names)
            seen = tuple(one for one in chosen if one.authorization in present)
            snapshot = listed(*seen, names=present)
        trace.append((snapshot, rules, at))
    return trace


def run(trace: list[tuple[ProjectSnapshot, Rules, datetime]]) -> list[Outcome]:
    alerts: tuple[Alert, ...] = ()
    outcomes = []
    for snapshot, rules, at in trace:
        alerts, transitions = advance(alerts, snapshot, rules, at)
        outcomes.append((alerts, transitions))
    return outcomes


@given(polls())
def test_the_same_poll_again_changes_nothing(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]],
) -> None:
    for (snapshot, rules, at), (alerts, _) in zip(trace, run(trace), strict=True):
        assert advance(alerts, snapshot, rules, at) == (alerts, ())


@given(polls(), st.randoms(use_true_random=False))
def test_the_order_of_findings_and_alerts_is_not_felt(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]], random: Random
) -> None:
    alerts: list[Alert] = []
    for (snapshot, rules, at), expected in zip(trace, run(trace), strict=True):
        seen: list[Finding] = [*snapshot.findings]
        random.shuffle(seen)
        random.shuffle(alerts)
        outcome = advance(alerts, replace(snapshot, findings=tuple(seen)), rules, at)
        assert outcome == expected
        alerts = [*outcome[0]]


@given(polls())
def test_a_finding_has_at_most_one_open_alert(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]],
) -> None:
    for alerts, _ in run(trace):
        keys = [alert.key for alert in alerts if alert.is_open]
        assert len(set(keys)) == len(keys)


@given(polls())
def test_firing_and_ending_alternate(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]],
) -> None:
    burning: set[str] = set()
    for alerts, transitions in run(trace):
        for change in transitions:
            if change.alert.state is AlertState.FIRING:
                assert change.alert.fingerprint not in burning
                burning.add(change.alert.fingerprint)
            else:
                burning.remove(change.alert.fingerprint)
        assert burning == {one.fingerprint for one in alerts if one.state is AlertState.FIRING}


@given(polls())
def test_no_episode_has_a_negative_length(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]],
) -> None:
    for alerts, _ in run(trace):
        for alert in alerts:
            if alert.state is AlertState.RESOLVED:
                assert alert.fired_at is not None
                assert alert.resolved_at is not None
                assert alert.active_at <= alert.fired_at <= alert.resolved_at


@given(polls())
def test_a_failed_poll_leaves_the_alerts_of_authorizations_as_they_are(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]],
) -> None:
    for (snapshot, _, at), (alerts, _) in zip(trace, run(trace), strict=True):
        everything = Rules(checks=RULES.checks, retention=HOUR)
        known, _ = advance(alerts, snapshot, everything, at)
        after, _ = advance(known, failed(snapshot), everything, at + 30 * MINUTE)
        before = [alert for alert in known if alert.is_open and alert.key[1]]
        assert [alert for alert in after if alert.is_open and alert.key[1]] == before
