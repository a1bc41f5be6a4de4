"""`pagerduty`: one incident an alert, by the Events API v2.

Source: https://developer.pagerduty.com/docs/events-api-v2-overview (202 is success; 429 and 5xx
may pass; about 120 events a minute and 512 KB an event are taken) and
https://developer.pagerduty.com/docs/send-alert-event (`dedup_key` makes repeated events one;
1024 characters of summary; our three severities are among its four).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from auditd.alerting.events import SendFailure
from auditd.alerting.notification import NotifiedAlert, NotifiedStatus
from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.json_message import json_request, strange_answer
from auditd.hooks.option_checks import require_at_least_one, require_web_url
from auditd.hooks.port import Message, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.progress import Progress
from auditd.hooks.revelation import reveal
from auditd.hooks.templates import Language
from auditd.hooks.verdict import judge

_TEXT_LIMIT = 1024
_LINK_LIMIT = 2048
_DETAILS_LIMIT_BYTES = 448 * 1024
"""An event may have 512 KB, and all else in it together has less than 64."""

_DEADLINE_SECONDS = 60.0
_LINKS = {
    "console_url": {Language.EN: "Console", Language.ZH: "控制台"},
    "runbook_url": {Language.EN: "Runbook", Language.ZH: "处理手册"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDutyOptions:
    """Incidents of a service of PagerDuty."""

    routing_key: Secret
    """The integration key of the service's Events API v2 integration."""
    url: str = "https://events.pagerduty.com/v2/enqueue"
    """Where events go; accounts in Europe have https://events.eu.pagerduty.com/v2/enqueue."""
    language: Language = Language.EN
    """The language of the links' names."""
    messages_per_minute: int | None = None
    """The most messages in a minute; each has one event for every alert."""

    def __post_init__(self) -> None:
        require_web_url(self.url, "url")
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class PagerDutyHook:
    """Opens and resolves the incidents of one service.

    Alerts have no limit, since one that is cut off a message would open no incident. An event
    that arrived is not sent again when another has to be: a group that is larger than what the
    service takes in a minute would never be done.
    """

    kind = "pagerduty"
    limit: int | None = None

    def __init__(self, name: str, options: PagerDutyOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._surroundings = surroundings
        self._progress = Progress()

    async def send(self, message: Message) -> None:
        """See Hook. An alert that is refused keeps no other from being told of."""
        arrived = self._progress.of(message.id)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._enqueue_missing(message, arrived)
        except TimeoutError:
            count = len(message.notification.alerts)
            msg = f"hook {self.name!r}: {len(arrived)} of {count} events arrived in time"
            raise RetryLaterError(SendFailure.TIMEOUT, msg) from None
        self._progress.forget(message.id)

    async def _enqueue_missing(self, message: Message, arrived: set[str]) -> None:
        key = reveal(self._options.routing_key, hook=self.name, key="routing_key")
        refused: RefusedError | None = None
        for alert in message.notification.alerts:
            if alert.fingerprint in arrived:
                continue
            try:
                await self._enqueue(self._event(alert, message.external_url), key)
            except RefusedError as error:
                refused = refused or error
            else:
                arrived.add(alert.fingerprint)
        if refused:
            raise refused

    async def _enqueue(self, event: dict[str, Any], key: str) -> None:
        request = json_request(self._options.url, event | {"routing_key": key})
        answer = await self._surroundings.http.send(request, hook=self.name)
        known = replace(request, headers={"routing_key": key})  # to be cut out of what is quoted
        judge(answer, known, hook=self.name, now=self._surroundings.now())
        if answer.status != HTTPStatus.ACCEPTED:
            raise strange_answer(answer, known, hook=self.name, expected="PagerDuty's 202")

    def _event(self, alert: NotifiedAlert, external_url: str) -> dict[str, Any]:
        if alert.status is NotifiedStatus.RESOLVED:
            return {"event_action": "resolve", "dedup_key": alert.fingerprint}
        return {
            "event_action": "trigger",
            "dedup_key": alert.fingerprint,
            "payload": _payload(alert),
            "links": list(self._links(alert)),
            "client": "servicestage-auditd",
            **({"client_url": external_url} if external_url else {}),
        }

    def _links(self, alert: NotifiedAlert) -> Iterator[dict[str, str]]:
        for name, words in _LINKS.items():
            if 0 < len(url := alert.annotations.get(name, "")) <= _LINK_LIMIT:
                yield {"href": url, "text": words[self._options.language]}


def _payload(alert: NotifiedAlert) -> dict[str, Any]:
    labels, told = alert.labels, alert.annotations
    texts = {
        "summary": told.get("summary", labels["alertname"]),
        "source": labels["project"],
        "component": labels.get("authorization", ""),
        "group": labels["project"],
        "class": labels["alertname"],
    }
    details: dict[str, Any] = {"labels": dict(labels), "annotations": dict(told)}
    if len(json_request("", details).body) > _DETAILS_LIMIT_BYTES:
        details = {"left_out": "labels and annotations, which are larger than an event may be"}
    return {
        **{name: text[:_TEXT_LIMIT] for name, text in texts.items()},
        "severity": labels["severity"],
        "timestamp": alert.starts_at.isoformat(),
        "custom_details": details,
    }


PLUGIN = Plugin("pagerduty", PagerDutyOptions, PagerDutyHook)
