"""`alertmanager`: keeps every Alertmanager of a cluster told of all alerts that fire.

An Alertmanager forgets: what fires must be posted again and again, and resolves by itself when
that ends. So there is nothing to keep for later when it does not answer.

Source: https://prometheus.io/docs/alerting/latest/alerts_api/ and
https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from auditd.alerting.events import AlertRefused, SendFailure, StateFailed, StateSent
from auditd.alerting.notification import NotifiedAlert
from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.payload import format_exact
from auditd.hooks.port import HookError, HttpRequest, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.revelation import is_web_address, reveal
from auditd.hooks.verdict import judge

BATCH = 128
"""Alerts in one post. Measured: from 64 on the receiver is the limit and not the exchange."""

GOOD_FOR = timedelta(minutes=4)
"""How long a firing alert stands without another refresh: four of them may fail."""

REFUSED_LIMIT = 16
"""Alerts that one refresh may lose for being refused; more, and it is no matter of alerts."""

_PEER_SECONDS = 45.0
_BAD_INPUT = frozenset({400, 413, 422})
"""An alert of the batch is refused, or the batch is too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerOptions:
    """Posts all firing alerts to every Alertmanager of a cluster."""

    urls: tuple[str, ...]
    """The base URL of each peer."""
    authorization: Secret | None = None
    """The value of the header Authorization, such as `Bearer` and a token."""

    def __post_init__(self) -> None:
        if not self.urls:
            msg = "urls must not be empty"
            raise ValueError(msg)
        for url in self.urls:
            if not is_web_address(url) or set("@?#") & set(url):
                msg = "each of urls must be an address such as http://alertmanager:9093"
                raise ValueError(msg)


class AlertmanagerHook:
    """One cluster."""

    kind = "alertmanager"

    def __init__(self, name: str, options: AlertmanagerOptions, surroundings: Surroundings) -> None:
        self.name = name
        self._peers = [
            _Peer(name, number, url, options.authorization, surroundings)
            for number, url in enumerate(options.urls)
        ]

    async def refresh(self, alerts: Sequence[NotifiedAlert], now: datetime) -> None:
        """See StateHook. A peer that does not answer delays no other."""
        async with asyncio.TaskGroup() as group:
            for number, peer in enumerate(self._peers):
                name = f"refresh of {self.name}, peer {number}"
                group.create_task(peer.refresh(alerts, now), name=name)


class _Peer:
    """One Alertmanager."""

    def __init__(
        self,
        hook: str,
        number: int,
        url: str,
        authorization: Secret | None,
        surroundings: Surroundings,
    ) -> None:
        self._hook = hook
        self._number = number
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._authorization = authorization
        self._surroundings = surroundings
        self._refused: frozenset[str] = frozenset()
        """The fingerprints that were refused last time; they go last, each by itself."""

    async def refresh(self, alerts: Sequence[NotifiedAlert], now: datetime) -> None:
        """Post everything, without what is refused, and tell of it."""
        began_at = asyncio.get_running_loop().time()
        refused: dict[str, str] = {}
        try:
            async with asyncio.timeout(_PEER_SECONDS):
                for batch in self._batches(alerts):
                    await self._post(batch, now, refused)
        except HookError as error:
            self._tell_failure(error)
        except TimeoutError:
            msg = f"hook {self._hook!r}: peer {self._number} was too slow for a refresh"
            self._tell_failure(RetryLaterError(SendFailure.TIMEOUT, msg))
        else:
            duration_seconds = asyncio.get_running_loop().time() - began_at
            taken = len(alerts) - len(refused)
            sent = StateSent(self._hook, self._number, taken, duration_seconds)
            self._surroundings.emit(sent)
        self._tell_refused(alerts, refused)

    def _batches(self, alerts: Sequence[NotifiedAlert]) -> list[Sequence[NotifiedAlert]]:
        good = [alert for alert in alerts if alert.fingerprint not in self._refused]
        batches: list[Sequence[NotifiedAlert]] = [
            good[start : start + BATCH] for start in range(0, len(good), BATCH)
        ]
        return batches + [[alert] for alert in alerts if alert.fingerprint in self._refused]

    async def _post(
        self, batch: Sequence[NotifiedAlert], now: datetime, refused: dict[str, str]
    ) -> None:
        """Post a batch; one that is refused in halves, down to the alerts that cause it.

        Raises:
            HookError: the peer did not take it for a reason that is not an alert's.
        """
        body = json.dumps([_posted(alert, now) for alert in batch]).encode()
        request = HttpRequest(self._url, body, self._headers())
        answer = await self._surroundings.http.send(request, hook=self._hook)
        if answer.status not in _BAD_INPUT:
            judge(answer, request, hook=self._hook, now=now)
        elif len(batch) > 1:
            middle = len(batch) // 2
            await self._post(batch[:middle], now, refused)
            await self._post(batch[middle:], now, refused)
        elif len(refused) < REFUSED_LIMIT:
            refused[batch[0].fingerprint] = excerpt(answer.body, request)
        else:
            msg = f"hook {self._hook!r}: peer {self._number} refuses alert after alert; see its log"
            raise RefusedError(SendFailure.REFUSED, msg)

    def _headers(self) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json"}
        if not self._authorization:
            return headers
        value = reveal(self._authorization, hook=self._hook, key="authorization")
        return {**headers, "Authorization": value}

    def _tell_failure(self, error: HookError) -> None:
        self._surroundings.emit(StateFailed(self._hook, self._number, error.reason, str(error)))

    def _tell_refused(self, alerts: Sequence[NotifiedAlert], refused: Mapping[str, str]) -> None:
        for alert in alerts:
            if alert.fingerprint in refused.keys() - self._refused:
                event = AlertRefused(
                    hook=self._hook,
                    peer=self._number,
                    fingerprint=alert.fingerprint,
                    alertname=alert.labels.get("alertname", ""),
                    project=alert.labels.get("project", ""),
                    message=refused[alert.fingerprint],
                )
                self._surroundings.emit(event)
        self._refused = frozenset(refused)


def _posted(alert: NotifiedAlert, now: datetime) -> Mapping[str, Any]:
    starts_at = min(
        alert.starts_at, alert.ends_at or now
    )  # later, when the clock was set back, is refused
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": format_exact(starts_at),
        "endsAt": format_exact(alert.ends_at or now + GOOD_FOR),
        "generatorURL": alert.annotations.get("console_url", ""),
    }


PLUGIN = Plugin("alertmanager", AlertmanagerOptions, AlertmanagerHook)
