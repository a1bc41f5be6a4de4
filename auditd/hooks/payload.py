"""What machines are sent: our own format, Alertmanager's, and CloudEvents. All are JSON in UTF-8.

A payload depends on the message alone, and not on the attempt: each attempt sends the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from auditd.alerting.notification import NotifiedAlert
from auditd.hooks.fit import most_that_fit
from auditd.hooks.port import Message

_NEVER = "0001-01-01T00:00:00Z"
"""How Go writes that there is no time."""


class Payload(StrEnum):
    """What a webhook is sent."""

    NATIVE = "native"
    ALERTMANAGER = "alertmanager"
    CLOUDEVENTS = "cloudevents"

    @property
    def content_type(self) -> str:
        """The media type of the body."""
        if self is Payload.CLOUDEVENTS:
            return "application/cloudevents+json; charset=utf-8"
        return "application/json"

    def render(self, message: Message) -> bytes:
        """The body."""
        match self:
            case Payload.NATIVE:
                return native(message)
            case Payload.ALERTMANAGER:
                return alertmanager(message)
            case Payload.CLOUDEVENTS:
                return cloudevent(message)


def fitting(render: Callable[[Message], bytes], message: Message, max_bytes: int) -> bytes:
    """What `render` makes of the message with as many of its alerts as fit.

    The rest is counted as cut off. Larger than `max_bytes` only when nothing fits: without any
    alert it still has what all of them agree on.
    """

    def first(count: int) -> bytes:
        notification = message.notification
        cut_off = len(notification.alerts) - count
        shown = replace(
            notification,
            alerts=notification.alerts[:count],
            truncated=notification.truncated + cut_off,
        )
        return render(replace(message, notification=shown))

    count = len(message.notification.alerts)
    return first(most_that_fit(count, lambda count: len(first(count)) <= max_bytes))


def format_exact(instant: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond. `instant` is aware."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def native(message: Message) -> bytes:
    """Our own format: `{type, timestamp, data}`; docs/schemas has its JSON Schema.

    Source: https://github.com/standard-webhooks/standard-webhooks (the shape of the envelope)
    """
    notification = message.notification
    return _encoded(
        {
            "type": f"alerts.{notification.status}",
            "timestamp": format_exact(notification.at),
            "data": _native_data(message),
        }
    )


def cloudevent(message: Message) -> bytes:
    """A CloudEvent 1.0 in structured mode whose data is that of the native format.

    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
    """
    notification = message.notification
    return _encoded(
        {
            "specversion": "1.0",
            "id": message.id,
            "source": message.external_url or "urn:servicestage-auditd",
            "type": f"servicestage-auditd.alerts.{notification.status}",
            "subject": notification.group_key,
            "time": format_exact(notification.at),
            "datacontenttype": "application/json",
            "data": _native_data(message),
        }
    )


def alertmanager(message: Message) -> bytes:
    """What Alertmanager's webhook receiver sends, version 4, with exactly its fields.

    Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
    """
    notification = message.notification
    return _encoded(
        {
            "receiver": notification.hook,
            "status": notification.status,
            "alerts": [_alertmanager_alert(alert) for alert in notification.alerts],
            "groupLabels": dict(notification.group_labels),
            "commonLabels": dict(notification.common_labels),
            "commonAnnotations": dict(notification.common_annotations),
            "externalURL": message.external_url,
            "version": "4",
            "groupKey": notification.group_key,
            "truncatedAlerts": notification.truncated,
        }
    )


def _native_data(message: Message) -> Mapping[str, Any]:
    notification = message.notification
    return {
        "id": message.id,
        "hook": notification.hook,
        "status": notification.status,
        "reason": notification.reason,
        "group_key": notification.group_key,
        "group_labels": dict(notification.group_labels),
        "common_labels": dict(notification.common_labels),
        "common_annotations": dict(notification.common_annotations),
        "external_url": message.external_url,
        "truncated": notification.truncated,
        "alerts": [_native_alert(alert) for alert in notification.alerts],
    }


def _native_alert(alert: NotifiedAlert) -> Mapping[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_at": format_exact(alert.starts_at),
        "ends_at": format_exact(alert.ends_at) if alert.ends_at else None,
        "end_reason": alert.end_reason,
    }


def _alertmanager_alert(alert: NotifiedAlert) -> Mapping[str, Any]:
    return {
        "status": alert.status,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": format_exact(alert.starts_at),
        "endsAt": format_exact(alert.ends_at) if alert.ends_at else _NEVER,
        "generatorURL": alert.annotations.get("console_url", ""),
        "fingerprint": alert.fingerprint[:16],
    }


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
