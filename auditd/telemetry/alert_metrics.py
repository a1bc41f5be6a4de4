"""The metrics of alerts and of what hooks are owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from prometheus_client import Histogram, Metric
from prometheus_client.registry import Collector

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.alert_events import AlertEvent
from auditd.alerting.delivery import Delivery
from auditd.alerting.events import (
    DeliveryDead,
    DeliveryEvent,
    DeliveryRetried,
    DeliverySent,
    SendFailure,
    StateFailed,
    StateSent,
)
from auditd.telemetry import families
from auditd.telemetry.families import ALERT_FAMILIES, Scrape
from auditd.telemetry.metrics import without_created
from auditd.telemetry.series import label_value

_LATENCY_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 21600.0, 86400.0)
"""Seconds: from at once to a hook that was down for a day."""

_OPEN = (AlertState.PENDING, AlertState.FIRING)

Alertnames: TypeAlias = Callable[[], Collection[str]]


class AlertMetrics(Collector):
    """Counts deliveries, and renders alerts and outbox as they are when someone scrapes.

    Args:
        projects: the names of all projects.
        alertnames: those that the enabled checks can give; each starts at zero for each project.
        alerts: all alerts.
        hooks: the names of all hooks.
        pending: what hooks are owed now.
        dead: hook -> how many of its deliveries were given up and not replayed.
    """

    def __init__(
        self,
        *,
        projects: Callable[[], Iterable[str]],
        alertnames: Alertnames,
        alerts: Callable[[], Iterable[Alert]],
        hooks: Collection[str],
        pending: Callable[[], Iterable[Delivery]],
        dead: Callable[[], Mapping[str, int]],
    ) -> None:
        self._projects = projects
        self._alertnames = alertnames
        self._alerts = alerts
        self._hooks = hooks
        self._pending = pending
        self._dead = dead
        self._attempts: Counter[str] = Counter()
        self._failures: Counter[tuple[str, SendFailure]] = Counter()
        self._latency = Histogram(
            "auditd_notification_latency_seconds",
            "From the instant that a notification was owed to its receiver's answer.",
            ["hook"],
            buckets=_LATENCY_BUCKETS,
            registry=None,
        )
        for hook in hooks:
            self._latency.labels(label_value(hook))

    def __call__(self, event: AlertEvent | DeliveryEvent) -> None:
        """Count the event if it is of the kinds that are counted."""
        match event:
            case DeliverySent(hook=hook, latency_seconds=latency_seconds):
                self._attempts[hook] += 1
                self._latency.labels(label_value(hook)).observe(latency_seconds)
            case StateSent(hook=hook):
                self._attempts[hook] += 1
            case DeliveryRetried() | DeliveryDead() | StateFailed():
                self._attempts[event.hook] += 1
                self._failures[event.hook, event.reason] += 1
            case _:
                pass

    def describe(self) -> Iterable[Metric]:
        """The families, without looking at anything."""
        return [*Scrape(ALERT_FAMILIES).metrics(), *self._latency.describe()]

    def collect(self) -> Iterable[Metric]:
        """The families as they are now."""
        scrape = Scrape(ALERT_FAMILIES)
        self._add_alerts(scrape)
        self._add_outbox(scrape)
        for hook in self._hooks:
            labels = {"hook": label_value(hook)}
            scrape.add(families.NOTIFICATIONS, labels, self._attempts[hook])
            for reason in SendFailure:
                failed = {**labels, "reason": reason.value}
                scrape.add(families.NOTIFICATIONS_FAILED, failed, self._failures[hook, reason])
        return [*scrape.metrics(), *without_created(self._latency)]

    def _add_alerts(self, scrape: Scrape) -> None:
        counts: Counter[tuple[str, str, str]] = Counter()
        for project in self._projects():
            known = ((project, name, state.value) for name in self._alertnames() for state in _OPEN)
            counts.update(dict.fromkeys(known, 0))
        for alert in self._alerts():
            if alert.is_open:
                labels = alert.labels
                counts[labels["project"], labels["alertname"], alert.state.value] += 1
        for (project, alertname, state), count in counts.items():
            where = {"project": label_value(project), "alertname": alertname, "state": state}
            scrape.add(families.ALERTS, where, count)

    def _add_outbox(self, scrape: Scrape) -> None:
        pending: dict[str, list[Delivery]] = {hook: [] for hook in self._hooks}
        for delivery in self._pending():
            pending.setdefault(delivery.hook, []).append(delivery)
        dead = self._dead()
        for hook, owed in pending.items():
            labels = {"hook": label_value(hook)}
            scrape.add(families.OUTBOX_DELIVERIES, {**labels, "state": "pending"}, len(owed))
            scrape.add(families.OUTBOX_DELIVERIES, {**labels, "state": "dead"}, dead.get(hook, 0))
            if owed:
                oldest = min(delivery.created_at for delivery in owed)
                scrape.add(families.OUTBOX_OLDEST, labels, oldest.timestamp())
