"""What stands in for the rooms around hooks, and alerts to tell of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from auditd.alerting.alert import Alert, AlertState, EndReason, fingerprint_of
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.events import DeliveryEvent
from auditd.alerting.grouping import Group
from auditd.alerting.notification import (
    Notification,
    NotificationReason,
    NotifiedAlert,
    NotifiedStatus,
)
from auditd.alerting.route import Route, RouteNode, build_tree
from auditd.hooks.port import (
    Http,
    HttpRequest,
    Message,
    ProcessEnd,
    RunProcess,
    Surroundings,
)

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class Text:
    """A secret whose value a test can replace."""

    def __init__(self, value: str) -> None:
        self.value = value

    def reveal(self) -> str:
        return self.value


class Unreadable:
    """A secret whose file is gone."""

    def reveal(self) -> str:
        raise FileNotFoundError(2, "No such file or directory", "/run/secrets/gone")


def labels_of(name: str, *, project: str = "payments") -> dict[str, str]:
    return {
        "alertname": "GitAuthorizationOverdue",
        "authorization": name,
        "check": "overdue",
        "project": project,
        "severity": "critical",
    }


def notified(name: str = "gh-main", *, end: datetime | None = None) -> NotifiedAlert:
    labels = labels_of(name)
    return NotifiedAlert(
        fingerprint=fingerprint_of(labels),
        status=NotifiedStatus.RESOLVED if end else NotifiedStatus.FIRING,
        labels=labels,
        annotations={
            "summary": f"authorization {name} is overdue",
            "description": "Renew it.",
            "console_url": "https://console.example.com/?agencyId=1&region=r",
            "since": "2026-11-24T12:00:00Z",
            "age": "3d",
        },
        starts_at=START,
        ends_at=end,
        end_reason=EndReason.CLEARED if end else None,
    )


def notification(*alerts: NotifiedAlert, hook: str = "ops", truncated: int = 0) -> Notification:
    alerts = alerts or (notified(),)
    is_firing = any(alert.status is NotifiedStatus.FIRING for alert in alerts)
    return Notification(
        hook=hook,
        group_key=f'{hook}{{}}:{{project="payments"}}',
        group_labels={"project": "payments"},
        common_labels={"alertname": "GitAuthorizationOverdue", "project": "payments"},
        common_annotations={},
        alerts=alerts,
        status=NotifiedStatus.FIRING if is_firing else NotifiedStatus.RESOLVED,
        reason=NotificationReason.NEW,
        truncated=truncated,
        at=START,
    )


def message(*alerts: NotifiedAlert, attempt: int = 1, hook: str = "ops") -> Message:
    told = notification(*alerts, hook=hook)
    return Message("msg_1", told, attempt, "https://auditd.example.com")


def alert_of(name: str, *, project: str = "payments", fired_at: datetime = START) -> Alert:
    labels = labels_of(name, project=project)
    return Alert(
        fingerprint=fingerprint_of(labels),
        labels=labels,
        annotations={"summary": f"{name} is overdue"},
        state=AlertState.FIRING,
        since=fired_at,
        active_at=fired_at,
        last_seen_at=fired_at,
        fired_at=fired_at,
    )


def resolved(alert: Alert, at: datetime) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=at, end_reason=EndReason.CLEARED)


def delivery_of(number: int, *, hook: str = "ops", group: str = "") -> Delivery:
    return Delivery(
        id=f"msg_{number}" if hook == "ops" else f"{hook}_{number}",
        hook=hook,
        group_key=group or f"{hook}-{number}",
        notification=notification(hook=hook),
        created_at=START,
        next_at=START,
    )


class FakeLedger:
    """Keeps what it is told, unless `fault` is set."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.groups: dict[str, Group] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.switched_off: dict[str, str] = {}
        self.writes = 0

    async def record_flush(self, group: Group, delivery: Delivery | None) -> None:
        await self._write()
        self.groups[group.key] = group
        if delivery:
            pending = [item.group_key for item in self.pending]
            assert delivery.group_key not in pending, "two deliveries of a group are pending"
            self.deliveries[delivery.id] = delivery

    async def settle(self, delivery: Delivery) -> None:
        await self._write()
        self.deliveries[delivery.id] = delivery

    async def switch_off(self, hook: str, reason: str) -> None:
        await self._write()
        self.switched_off[hook] = reason

    @property
    def pending(self) -> list[Delivery]:
        return [item for item in self.deliveries.values() if item.state is DeliveryState.PENDING]

    async def _write(self) -> None:
        await asyncio.sleep(0)
        if self.fault:
            raise self.fault
        self.writes += 1


@dataclass
class FakeHook:
    """Takes every message, or does what `behave` does with it."""

    name: str = "ops"
    kind: str = "fake"
    limit: int | None = None
    messages_per_minute: int | None = None
    behave: Callable[[Message], None] = lambda _: None
    seconds: float = 0.0
    attempts: list[Message] = field(default_factory=list)
    taken: list[Message] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.attempts.append(message)
        await asyncio.sleep(self.seconds)
        self.behave(message)
        self.taken.append(message)


async def _no_process(
    command: Sequence[str], stdin: bytes, *, timeout_seconds: float
) -> ProcessEnd:
    raise AssertionError


async def _no_signature(
    request: HttpRequest, *, credential: str, project_id: str, region: str
) -> HttpRequest:
    raise AssertionError


def surroundings_of(
    http: Http,
    *,
    emit: Callable[[DeliveryEvent], None] = lambda _: None,
    now: Callable[[], datetime] = lambda: START,
    run_process: RunProcess = _no_process,
) -> Surroundings:
    return Surroundings(http=http, now=now, run_process=run_process, sign=_no_signature, emit=emit)


def tree(hook: str = "ops", *, group_by: tuple[str, ...] = ("project",)) -> RouteNode:
    """A route of one hook."""
    return build_tree(Route(hook=hook, group_by=group_by))
