"""The metrics of alerts and of what hooks are owed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from prometheus_client import Histogram, Metric
from prometheus_client.registry import Collector

from auditd.alerting.alert import AlertState
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
from auditd.telemetry.column import Column, Facts, line, steady
from auditd.telemetry.families import ALERT_FAMILIES
from auditd.telemetry.family import Scrape
from auditd.telemetry.label import escaped, label_value
from auditd.telemetry.metrics import without_created
from auditd.telemetry.run import Run

_LATENCY_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 21600.0, 86400.0)
"""Seconds: from at once to a hook that was down for a day."""

_OPEN = (AlertState.PENDING, AlertState.FIRING)

_Open: TypeAlias = Collection[tuple[str, AlertState]]
"""Alertname and state of each open alert of a project."""


class AlertMetrics(Collector):
    """Counts deliveries, and renders alerts and outbox as they are when someone scrapes.

    Args:
        alertnames: those that the enabled checks can give; each starts at zero for each project.
        open_of: the open alerts of a project; the same object as long as they are the same.
        hooks: the names of all hooks as they are now.
        pending: what hooks are owed now.
        dead: hook -> how many of its deliveries were given up and not replayed.
    """

    def __init__(
        self,
        *,
        alertnames: Callable[[], Collection[str]],
        open_of: Callable[[str], _Open],
        hooks: Callable[[], Collection[str]],
        pending: Callable[[], Iterable[Delivery]],
        dead: Callable[[], Mapping[str, int]],
    ) -> None:
        self._alertnames = steady(alertnames)
        self._open_of = open_of
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
        self._known: set[str] = set()
        """The hooks that have series."""

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

    def columns(self) -> Sequence[Column]:
        """The alerts of each project."""
        return [Column(families.ALERTS, self._open_alerts, _alerts)]

    def describe(self) -> Iterable[Metric]:
        """The families, without looking at anything."""
        return [*Scrape(ALERT_FAMILIES).metrics(), *self._latency.describe()]

    def collect(self) -> Iterable[Metric]:
        """The families as they are now."""
        scrape = Scrape(ALERT_FAMILIES)
        hooks = self._hooks()
        self._begin_and_end(set(hooks))
        self._add_outbox(scrape, hooks)
        for hook in hooks:
            labels = {"hook": label_value(hook)}
            scrape.add(families.NOTIFICATIONS, labels, self._attempts[hook])
            for reason in SendFailure:
                failed = {**labels, "reason": reason.value}
                scrape.add(families.NOTIFICATIONS_FAILED, failed, self._failures[hook, reason])
        return [*scrape.metrics(), *without_created(self._latency)]

    def _open_alerts(self, run: Run) -> Facts:
        return (
            [self._open_of(snapshot.project.name) for snapshot in run],
            [self._alertnames()] * len(run),
        )

    def _begin_and_end(self, hooks: set[str]) -> None:
        """The series of a hook begin at zero, and end with it."""
        for hook in self._known - hooks:
            self._latency.remove(label_value(hook))
            self._attempts.pop(hook, None)
            for reason in SendFailure:
                self._failures.pop((hook, reason), None)
        for hook in hooks:
            self._latency.labels(label_value(hook))
        self._known = hooks

    def _add_outbox(self, scrape: Scrape, hooks: Collection[str]) -> None:
        pending: dict[str, list[Delivery]] = {hook: [] for hook in hooks}
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


def _alerts(project: str, alerts: _Open, alertnames: Collection[str]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    counts.update({(name, state.value): 0 for name in alertnames for state in _OPEN})
    counts.update(alerts)
    return "".join(
        line(families.ALERTS, f'alertname="{escaped(name)}",{project},state="{state}"', count)
        for (name, state), count in counts.items()
    )
