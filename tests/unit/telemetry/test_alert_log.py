from __future__ import annotations

from datetime import timedelta
from typing import Any, get_args

import pytest

from auditd.alerting.alert import Alert
from auditd.alerting.alert_events import AlertFired, AlertResolved, AlertSuppressed
from auditd.alerting.events import (
    AlertRefused,
    DeliveryDead,
    DeliveryRetried,
    DeliverySent,
    SendFailure,
    StateFailed,
    StateSent,
)
from auditd.alerting.hush import Suppression
from auditd.alerting.retry import DeathReason
from auditd.telemetry.alert_log import AlertLog, Told
from tests.unit.hooks.fakes import START, alert_of, resolved

ALERT = alert_of("gh-main")
ENDED = resolved(ALERT, START + timedelta(hours=1))
FAILED = StateFailed("am", 0, SendFailure.CONNECT, "refused")


@pytest.fixture
def logged(lines: Any, seconds: Any) -> Any:
    """Emit events with a second between them, and get the lines."""
    log = AlertLog(lines.logger, monotonic=seconds)

    def emit(*events: Told, every_seconds: float = 1.0) -> list[dict[str, Any]]:
        for event in events:
            log(event)
            seconds.advance(every_seconds)
        return [{key: line[key] for key in line if key != "timestamp"} for line in lines.read()]

    return emit


def test_an_alert_that_fires_is_one_line_that_says_what(logged: Any) -> None:
    assert logged(AlertFired(ALERT, is_flapping=False)) == [
        {
            "level": "error",
            "event": "alert.fired",
            "project": "payments",
            "alertname": "GitAuthorizationOverdue",
            "authorization": "gh-main",
            "severity": "critical",
            "check": "overdue",
            "fingerprint": ALERT.fingerprint,
            "summary": "gh-main is overdue",
        }
    ]


def test_an_end_says_why_and_flapping_is_said(logged: Any) -> None:
    fired, ended = logged(AlertFired(ALERT, is_flapping=True), AlertResolved(ENDED))
    assert fired["is_flapping"] is True
    assert (ended["event"], ended["reason"]) == ("alert.resolved", "cleared")


def test_a_receiver_that_goes_on_failing_is_one_line_a_minute(logged: Any) -> None:
    lines = logged(*[FAILED] * 61)
    assert [line.get("suppressed") for line in lines] == [None, 59]


def every_event(alert: Alert) -> list[Told]:
    return [
        AlertFired(alert, is_flapping=False),
        AlertResolved(ENDED),
        AlertSuppressed(alert, "ops", Suppression.SILENCED),
        DeliverySent("ops", "msg_1", "g", 1, 1, 0.1, 0.2),
        DeliveryRetried("ops", "msg_1", "g", 1, SendFailure.SERVER, "503", START),
        DeliveryDead("ops", "msg_1", "g", 20, SendFailure.SERVER, "503", DeathReason.EXPIRED),
        StateSent("am", 0, 3, 0.1),
        FAILED,
        AlertRefused("am", 0, "f", "GitAuthorizationOverdue", "payments", "bad label"),
    ]


def test_every_event_can_be_told(logged: Any) -> None:
    events = every_event(ALERT)
    kinds = {kind for union in get_args(Told) for kind in get_args(union) or (union,)}
    assert {type(event) for event in events} == kinds
    assert [line["event"] for line in logged(*events)] == [
        "alert.fired",
        "alert.resolved",
        "alert.suppressed",
        "delivery.sent",
        "delivery.retried",
        "delivery.dead",
        "delivery.retried",
        "delivery.refused",
    ]
