from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.notification import NotifiedAlert, NotifiedStatus
from auditd.alerting.route import Route, build_tree
from auditd.hooks.kinds.alertmanager import GOOD_FOR
from auditd.hooks.refresher import INTERVAL_SECONDS, Refresher
from tests.unit.hooks.fakes import START, alert_of, resolved

TREE = build_tree(
    Route(
        hook="ops",
        routes=(
            Route(
                hook="am",
                matchers=(Matcher("project", Operator.EQUAL, "payments"),),
                continue_=True,
            ),
        ),
    )
)


def _now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


class StateRecorder:
    """Notes when it is told what."""

    name = "am"
    kind = "fake"

    def __init__(self) -> None:
        self.told: list[tuple[float, list[str]]] = []

    async def refresh(self, alerts: Sequence[NotifiedAlert], now: datetime) -> None:
        names = [f"{alert.labels['authorization']}:{alert.status}" for alert in alerts]
        self.told.append(((now - START).total_seconds(), names))


@pytest.mark.looptime
async def test_it_tells_every_minute_and_soon_after_a_change() -> None:
    recorder = StateRecorder()
    alerts = [alert_of("a")]
    refresher = Refresher(recorder, lambda: alerts, TREE, now=_now)
    running = asyncio.create_task(refresher.run())
    await asyncio.sleep(90)
    alerts.append(alert_of("b"))
    refresher.wake()
    refresher.wake()
    await asyncio.sleep(75)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert recorder.told == [
        (0.0, ["a:firing"]),
        (60.0, ["a:firing"]),
        (90.2, ["a:firing", "b:firing"]),
        (150.2, ["a:firing", "b:firing"]),
    ]


def _state(*alerts: Alert, now: datetime = START) -> list[NotifiedAlert]:
    return list(Refresher(StateRecorder(), lambda: alerts, TREE, now=lambda: now).state(now))


def test_only_what_is_routed_to_the_hook_is_told() -> None:
    (told,) = _state(alert_of("a"), alert_of("b", project="other"))
    assert told.labels["project"] == "payments"


def test_an_end_is_told_for_a_quarter_of_an_hour() -> None:
    ended_at = START + timedelta(hours=1)
    ended = resolved(alert_of("a"), ended_at)
    (told,) = _state(ended, now=ended_at + timedelta(minutes=14, seconds=59))
    assert (told.status, told.ends_at) == (NotifiedStatus.RESOLVED, ended_at)
    assert _state(ended, now=ended_at + timedelta(minutes=15)) == []


def test_what_waits_for_its_time_is_told_only_if_it_had_fired_before() -> None:
    never = replace(alert_of("a"), state=AlertState.PENDING, fired_at=None)
    before = replace(alert_of("b"), state=AlertState.PENDING, resolved_at=START)
    (told,) = _state(never, before)
    assert (told.labels["authorization"], told.status) == ("b", NotifiedStatus.RESOLVED)


def test_ages_are_those_of_the_instant() -> None:
    (told,) = _state(alert_of("a"), now=START + timedelta(days=2))
    assert told.annotations["age"] == "2d"


def test_a_firing_alert_outlasts_three_refreshes_that_fail() -> None:
    assert 3 * timedelta(seconds=INTERVAL_SECONDS) < GOOD_FOR


@pytest.mark.looptime
async def test_of_replicas_the_one_that_claims_the_minute_tells_and_the_one_with_news() -> None:
    recorder, asked = StateRecorder(), []

    async def claim(name: str, every: timedelta) -> bool:
        asked.append((name, every.total_seconds()))
        return len(asked) == 2

    refresher = Refresher(recorder, lambda: [alert_of("a")], TREE, now=_now)
    refresher.share(claim)
    running = asyncio.create_task(refresher.run())
    await asyncio.sleep(130)
    refresher.wake()
    await asyncio.sleep(5)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert asked == [("refresh am", 60.0)] * 3
    assert [at for at, _ in recorder.told] == [60.0, 130.2]
