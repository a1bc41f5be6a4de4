from __future__ import annotations

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import Delivery
from auditd.alerting.events import (
    DeliveryDead,
    DeliveryRetried,
    DeliverySent,
    SendFailure,
    StateFailed,
    StateSent,
)
from auditd.alerting.retry import DeathReason
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.alert_metrics import AlertMetrics
from tests.unit.hooks.fakes import START, delivery_of
from tests.unit.telemetry.reading import read

FIRING = ("GitAuthorizationOverdue", AlertState.FIRING)


class Exposed:
    """Metrics over lists that a test fills."""

    def __init__(self, daemon: Any) -> None:
        self.daemon = daemon
        self.hooks = ["ops", "am"]
        self.alertnames = ["GitAuthorizationOverdue", "ProjectBlind"]
        self.open: list[tuple[str, AlertState]] = []
        self.pending: list[Delivery] = []
        self.dead: dict[str, int] = {}
        self.metrics = AlertMetrics(
            alertnames=lambda: frozenset(self.alertnames),
            open_of=lambda project: tuple(self.open) if project == "payments" else (),
            hooks=lambda: self.hooks,
            pending=lambda: self.pending,
            dead=lambda: self.dead,
        )
        daemon.metrics.register(self.metrics)

    def value(self, name: str, **labels: str) -> float | None:
        families = text_string_to_metric_families(read(self.daemon.metrics.expose))
        samples = [sample for family in families for sample in family.samples]
        found = [s.value for s in samples if s.name == name and s.labels == labels]
        return found[0] if found else None


@pytest.fixture
def exposed(daemon: Any, project: Project) -> Exposed:
    daemon.fleet = [ProjectSnapshot(project)]
    return Exposed(daemon)


def alerts(exposed: Exposed, alertname: str, state: str) -> Any:
    return exposed.value("auditd_alerts", project="payments", alertname=alertname, state=state)


def test_every_alertname_of_every_project_starts_at_zero(exposed: Exposed) -> None:
    for alertname in ("GitAuthorizationOverdue", "ProjectBlind"):
        assert alerts(exposed, alertname, "firing") == 0
        assert alerts(exposed, alertname, "pending") == 0


def test_open_alerts_are_counted_by_state(exposed: Exposed) -> None:
    exposed.open = [FIRING, ("GitAuthorizationOverdue", AlertState.PENDING)]
    assert alerts(exposed, "GitAuthorizationOverdue", "firing") == 1
    assert alerts(exposed, "GitAuthorizationOverdue", "pending") == 1


def test_the_outbox_is_shown_as_it_is(exposed: Exposed) -> None:
    assert exposed.value("auditd_outbox_deliveries", hook="ops", state="pending") == 0
    oldest = "auditd_outbox_oldest_pending_timestamp_seconds"
    assert exposed.value(oldest, hook="ops") is None
    exposed.pending = [delivery_of(1), delivery_of(2)]
    exposed.dead = {"ops": 3}
    assert exposed.value("auditd_outbox_deliveries", hook="ops", state="pending") == 2
    assert exposed.value("auditd_outbox_deliveries", hook="ops", state="dead") == 3
    assert exposed.value(oldest, hook="ops") == START.timestamp()


def test_attempts_failures_and_latency_are_counted_for_each_hook(exposed: Exposed) -> None:
    for event in (
        DeliverySent("ops", "msg_1", "g", 1, 1, 0.1, 0.4),
        DeliveryRetried("ops", "msg_2", "g", 1, SendFailure.SERVER, "503", START),
        DeliveryDead("ops", "msg_2", "g", 2, SendFailure.SERVER, "503", DeathReason.EXPIRED),
        StateSent("am", 0, 3, 0.1),
        StateFailed("am", 0, SendFailure.CONNECT, "refused"),
    ):
        exposed.metrics(event)
    assert exposed.value("auditd_notifications_total", hook="ops") == 3
    assert exposed.value("auditd_notifications_total", hook="am") == 2
    failed = "auditd_notifications_failed_total"
    assert exposed.value(failed, hook="ops", reason="server") == 2
    assert exposed.value(failed, hook="am", reason="connect") == 1
    assert exposed.value(failed, hook="ops", reason="gone") == 0
    latency = "auditd_notification_latency_seconds"
    assert exposed.value(f"{latency}_count", hook="ops") == 1
    assert exposed.value(f"{latency}_bucket", hook="ops", le="0.5") == 1
    assert exposed.value(f"{latency}_count", hook="am") == 0


def test_what_is_counted_of_alerts_follows_them_from_scrape_to_scrape(exposed: Exposed) -> None:
    for known, count in (([], 0), ([FIRING], 1), ([], 0), ([FIRING, FIRING], 2)):
        exposed.open = known
        assert alerts(exposed, "GitAuthorizationOverdue", "firing") == count
    exposed.alertnames = ["ProjectBlind"]
    exposed.open = []
    assert alerts(exposed, "GitAuthorizationOverdue", "firing") is None
    assert alerts(exposed, "ProjectBlind", "firing") == 0


def test_the_alerts_of_a_project_end_with_it(exposed: Exposed) -> None:
    exposed.open = [FIRING]
    assert alerts(exposed, "GitAuthorizationOverdue", "firing") == 1
    exposed.daemon.fleet = []
    assert alerts(exposed, "GitAuthorizationOverdue", "firing") is None


def test_the_series_of_a_hook_end_with_it_and_begin_anew(exposed: Exposed) -> None:
    exposed.metrics(StateFailed("am", 0, SendFailure.CONNECT, "refused"))
    assert exposed.value("auditd_notifications_total", hook="am") == 1
    exposed.hooks = ["ops"]
    assert exposed.value("auditd_notifications_total", hook="am") is None
    assert exposed.value("auditd_notification_latency_seconds_count", hook="am") is None
    exposed.hooks = ["ops", "am"]
    assert exposed.value("auditd_notifications_total", hook="am") == 0
    assert exposed.value("auditd_notification_latency_seconds_count", hook="am") == 0
