"""The judge of the other tests here must see what it is there for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import looptime
import pytest

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import DeliveryState
from auditd.store.verification import TrailVerdict
from tests.chaos.chronicle import read
from tests.chaos.evidence import Evidence, gather
from tests.chaos.failpoint_harness import HOOKS, Case
from tests.chaos.verdict import faults


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    case = Case(tmp_path_factory.mktemp("honest"), seed=1)
    for start, work in ((0.0, case.go_wrong), (10_000.0, case.make_good)):
        with asyncio.Runner(loop_factory=partial(looptime.new_event_loop, start=start)) as runner:
            runner.run(work())
    return gather(case.state, read(case.chronicle))


def test_a_run_in_which_all_is_well_has_no_faults(honest: Evidence) -> None:
    assert faults(honest, HOOKS) == []
    assert len(honest.transitions) > 20
    assert {it.hook for it in honest.deliveries} == set(HOOKS)


def _taken(evidence: Evidence, *accepted: tuple[str, str, str]) -> Evidence:
    return replace(evidence, account=replace(evidence.account, accepted=list(accepted)))


def _lose_a_message(it: Evidence) -> Evidence:
    return _taken(it, *it.account.accepted[1:])


def _double_a_message(it: Evidence) -> Evidence:
    return _taken(it, *it.account.accepted, it.account.accepted[0])


def _alter_a_message(it: Evidence) -> Evidence:
    (hook, delivery_id, _), *others = it.account.accepted
    return _taken(it, (hook, delivery_id, "0"), *others)


def _take_what_is_not_owed(it: Evidence) -> Evidence:
    return _taken(it, ("ops", "msg_x", "0"), *it.account.accepted)


def _disorder(it: Evidence) -> Evidence:
    return _taken(it, *reversed(it.account.accepted))


def _forget_a_message(it: Evidence) -> Evidence:
    return replace(it, deliveries=it.deliveries[1:])


def _tell_by_two_ids(it: Evidence) -> Evidence:
    first, *others = it.deliveries
    return replace(it, deliveries=(first, replace(first, id="msg_x"), *others))


def _tell_half(it: Evidence) -> Evidence:
    first, *others = it.deliveries
    told = replace(first.notification, alerts=first.notification.alerts[1:])
    return replace(it, deliveries=(replace(first, notification=told), *others))


def _leave_owed(it: Evidence) -> Evidence:
    *others, last = it.deliveries
    return replace(it, deliveries=(*others, replace(last, state=DeliveryState.PENDING)))


def _forget_the_last_message(it: Evidence) -> Evidence:
    return replace(it, deliveries=it.deliveries[:-1])


def _fire_twice(it: Evidence) -> Evidence:
    return replace(it, trail=(it.transitions[0], *it.trail))


def _turn_time_back(it: Evidence) -> Evidence:
    return replace(it, trail=it.trail[::-1])


def _resolve_silently(it: Evidence) -> Evidence:
    alerts = {key: replace(it, state=AlertState.RESOLVED) for key, it in it.alerts.items()}
    return replace(it, alerts=alerts)


def _damage(it: Evidence) -> Evidence:
    return replace(it, integrity="row 1 missing from index")


def _edit_the_trail(it: Evidence) -> Evidence:
    return replace(it, verdict=TrailVerdict(ok=False, checked=1, reason="its hash is another"))


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (_lose_a_message, "never taken"),
        (_double_a_message, "without a reason"),
        (_alter_a_message, "was not taken as it is in the outbox"),
        (_take_what_is_not_owed, "not owed"),
        (_disorder, "not taken in order"),
        (_forget_a_message, "too much"),
        (_tell_by_two_ids, "tells nothing new"),
        (_tell_half, "too little"),
        (_leave_owed, "is still pending"),
        (_forget_the_last_message, "was never told"),
        (_fire_twice, "twice"),
        (_turn_time_back, "older than the one before"),
        (_resolve_silently, "is not what the trail says last"),
        (_damage, "the database is damaged"),
        (_edit_the_trail, "the trail is not whole"),
    ],
)
def test_what_is_wrong_is_seen(
    honest: Evidence, tamper: Callable[[Evidence], Evidence], said: str
) -> None:
    assert any(said in fault for fault in faults(tamper(honest), HOOKS))
