"""An office that has some alerts, silences and deliveries, and notes what it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from auditd.alerting.alert import Alert, AlertState, fingerprint_of
from auditd.alerting.delivery import Attempt, AttemptOutcome, Delivery, DeliveryState
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.notification import (
    Notification,
    NotificationReason,
    NotifiedAlert,
    NotifiedStatus,
)
from auditd.alerting.silence import Silence
from auditd.web.office import HookStanding

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def alert_of(name: str, project: str = "payments", state: AlertState = AlertState.FIRING) -> Alert:
    labels = {
        "alertname": "GitAuthorizationOverdue",
        "authorization": name,
        "check": "overdue",
        "project": project,
        "severity": "critical",
    }
    return Alert(
        fingerprint=fingerprint_of(labels),
        labels=labels,
        annotations={"summary": f"{name} is overdue"},
        state=state,
        since=NOW - 50 * HOUR,
        active_at=NOW - HOUR,
        last_seen_at=NOW,
        fired_at=NOW - HOUR if state is AlertState.FIRING else None,
    )


def silence_of(id_: str, *, starts_at: datetime = NOW - HOUR, hours: int = 2) -> Silence:
    matchers = (Matcher("project", Operator.EQUAL, "payments"),)
    return Silence(id_, matchers, starts_at, starts_at + hours * HOUR, "ann", "move")


def delivery_of(id_: str, state: DeliveryState = DeliveryState.PENDING) -> Delivery:
    alert = alert_of("gh-main")
    notified = NotifiedAlert(
        fingerprint=alert.fingerprint,
        status=NotifiedStatus.FIRING,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=NOW - HOUR,
        ends_at=None,
        end_reason=None,
    )
    notification = Notification(
        hook="ops",
        group_key="ops{}:{}",
        group_labels={},
        common_labels=alert.labels,
        common_annotations=alert.annotations,
        alerts=(notified,),
        status=NotifiedStatus.FIRING,
        reason=NotificationReason.NEW,
        truncated=2,
        at=NOW,
    )
    return Delivery(
        id=id_,
        hook="ops",
        group_key="ops{}:{}",
        notification=notification,
        created_at=NOW - HOUR,
        next_at=NOW,
        state=state,
        attempts=3,
        last_error="hook 'ops': 503",
        settled_at=None if state is DeliveryState.PENDING else NOW,
        tried=(Attempt(NOW - HOUR, AttemptOutcome.FAILED, "hook 'ops': 503"),),
    )


@dataclass
class Office:
    """`asked` has the calls that were made, with their arguments."""

    stock: list[tuple[Alert, str]] = field(default_factory=list)
    kept: list[Silence] = field(default_factory=list)
    owed: dict[str, Delivery] = field(default_factory=dict)
    receivers: list[HookStanding] = field(default_factory=list)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    fault: Exception | None = None
    """What every call from now on raises."""

    def known(self, project: str | None = None) -> Collection[Alert]:
        return [it for it, _ in self.stock if project in {None, it.labels["project"]}]

    def suppression(self, alert: Alert) -> str:
        return {it.fingerprint: text for it, text in self.stock}[alert.fingerprint]

    def silences(self) -> tuple[Silence, ...]:
        return tuple(self.kept)

    async def create_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        comment: str,
    ) -> Silence:
        self._note("create_silence", matchers, starts_at, ends_at, author, comment)
        return Silence("s-new", matchers, starts_at, ends_at, author, comment)

    async def expire_silence(self, silence_id: str, author: str) -> None:
        self._note("expire_silence", silence_id, author)
        if silence_id not in {silence.id for silence in self.kept}:
            msg = f"there is no silence {silence_id}"
            raise LookupError(msg)

    async def acknowledge(self, fingerprint: str, author: str, comment: str) -> None:
        self._note("acknowledge", fingerprint, author, comment)
        states = {alert.fingerprint: alert.state for alert, _ in self.stock}
        if fingerprint not in states:
            msg = f"there is no alert {fingerprint}"
            raise LookupError(msg)
        if states[fingerprint] is not AlertState.FIRING:
            msg = f"the alert {fingerprint} does not fire"
            raise ValueError(msg)

    async def deliveries(
        self, state: DeliveryState | None, hook: str | None, limit: int, before: str | None
    ) -> Sequence[Delivery]:
        self._note("deliveries", state, hook, limit, before)
        return list(self.owed.values())

    async def delivery(self, delivery_id: str) -> Delivery:
        self._note("delivery", delivery_id)
        if delivery_id not in self.owed:
            msg = f"there is no delivery {delivery_id}"
            raise LookupError(msg)
        return self.owed[delivery_id]

    async def replay(self, delivery_id: str) -> Delivery:
        dead = await self.delivery(delivery_id)
        if dead.state is not DeliveryState.DEAD:
            msg = f"delivery {delivery_id} is not dead"
            raise ValueError(msg)
        return replace(dead, state=DeliveryState.PENDING, attempts=0, settled_at=None)

    async def hooks(self) -> Sequence[HookStanding]:
        self._note("hooks")
        return self.receivers

    async def enable_hook(self, name: str) -> None:
        self._note("enable_hook", name)
        if name not in {hook.name for hook in self.receivers}:
            msg = f"there is no hook {name!r}"
            raise LookupError(msg)

    def _note(self, *call: object) -> None:
        self.asked.append(call)
        if self.fault:
            raise self.fault
