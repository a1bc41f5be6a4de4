"""Renders what became of alerts and deliveries as log lines."""

from __future__ import annotations

from collections.abc import Callable
from logging import DEBUG, ERROR, INFO, WARNING
from typing import Any, TypeAlias, assert_never

from structlog.typing import FilteringBoundLogger

from auditd.alerting.alert_events import AlertEvent, AlertFired, AlertResolved, AlertSuppressed
from auditd.alerting.events import (
    AlertRefused,
    DeliveryDead,
    DeliveryEvent,
    DeliveryRetried,
    DeliverySent,
    StateFailed,
    StateSent,
)
from auditd.audit.finding import Severity
from auditd.telemetry import names
from auditd.telemetry.teller import Repetition, Teller, fields_of

Told: TypeAlias = AlertEvent | DeliveryEvent

_FIRED_LEVEL = {Severity.INFO: INFO, Severity.WARNING: WARNING, Severity.CRITICAL: ERROR}


class AlertLog:
    """Logs each event as one line. A receiver that goes on failing is logged once a minute.

    Args:
        logger: where the lines go.
        monotonic: seconds.
    """

    def __init__(self, logger: FilteringBoundLogger, *, monotonic: Callable[[], float]) -> None:
        self._teller = Teller(logger, monotonic=monotonic)

    def __call__(self, event: Told) -> None:
        """Log the event. Never blocks."""
        level, name = _headline(event)
        self._teller.tell(level, name, _details(event), _repetition(event))


def _repetition(event: Told) -> Repetition | None:
    match event:
        case StateFailed(hook=hook, peer=peer, reason=reason):
            return Repetition((hook, peer, reason))
        case _:
            return None


def _headline(event: Told) -> tuple[int, str]:  # noqa: PLR0911 -- one case for each event
    match event:
        case AlertFired(alert=alert):
            return _FIRED_LEVEL[Severity(alert.labels["severity"])], names.ALERT_FIRED
        case AlertResolved():
            return INFO, names.ALERT_RESOLVED
        case AlertSuppressed():
            return INFO, names.ALERT_SUPPRESSED
        case DeliverySent():
            return INFO, names.DELIVERY_SENT
        case StateSent():
            return DEBUG, names.DELIVERY_SENT
        case DeliveryRetried() | StateFailed():
            return WARNING, names.DELIVERY_RETRIED
        case DeliveryDead():
            return ERROR, names.DELIVERY_DEAD
        case AlertRefused():
            return ERROR, names.DELIVERY_REFUSED
        case _:
            assert_never(event)


def _details(event: Told) -> dict[str, Any]:
    details = fields_of(event)
    if isinstance(event, AlertFired | AlertResolved | AlertSuppressed):
        alert = details.pop("alert")
        shown = ("project", "alertname", "authorization", "severity", "check")
        details |= {label: alert.labels.get(label) for label in shown}
        details["fingerprint"] = alert.fingerprint
        details["summary"] = alert.annotations.get("summary")
        if isinstance(event, AlertResolved):
            details["reason"] = alert.end_reason
    return {name: value for name, value in details.items() if value is not False}
