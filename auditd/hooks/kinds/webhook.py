"""`webhook`: posts to an address, with the headers and signature of Standard Webhooks.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditd.alerting.events import SendFailure
from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.payload import Payload, fitting
from auditd.hooks.port import (
    HttpRequest,
    Message,
    RefusedError,
    RetryLaterError,
    Surroundings,
)
from auditd.hooks.revelation import require_web_address, reveal
from auditd.hooks.signature import signature_headers, signing_key
from auditd.hooks.verdict import judge

_OURS = frozenset({"content-type", "content-length", "host", "transfer-encoding", "authorization"})
"""Headers that have a meaning of their own here, beside those that begin with `webhook-`."""

_FEWEST_BYTES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookOptions:
    """Posts to an address."""

    url: Secret
    """Where to post."""
    secret: tuple[Secret, ...] = ()
    """Signs what is sent (Standard Webhooks); several while one replaces another."""
    payload: Payload = Payload.NATIVE
    """The format of what is sent."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent along. They are no secrets: for a password or token there is `authorization`."""
    authorization: Secret | None = None
    """The value of the header Authorization, such as `Bearer` and a token."""
    max_alerts: int | None = None
    """The most alerts in one message; what is cut off is counted in it."""
    max_bytes: int | None = None
    """The longest body, at least 1000; alerts that do not fit are counted in it."""
    messages_per_minute: int | None = None
    """The most messages in a minute; meanwhile alerts wait and are told of together."""

    def __post_init__(self) -> None:
        require_web_address(self.url, "url")
        for secret in self.secret:
            signing_key(secret.reveal())
        for name in self.headers:
            if name.lower() in _OURS or name.lower().startswith("webhook-"):
                msg = f"headers cannot have {name}"
                raise ValueError(msg)
        require_at_least_one(self.max_alerts, "max_alerts")
        if self.max_bytes is not None and self.max_bytes < _FEWEST_BYTES:
            msg = f"max_bytes must be at least {_FEWEST_BYTES}"
            raise ValueError(msg)
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class WebhookHook:
    """One address."""

    kind = "webhook"

    def __init__(self, name: str, options: WebhookOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.limit = options.max_alerts
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._http = surroundings.http
        self._now = surroundings.now

    async def send(self, message: Message) -> None:
        """See Hook."""
        request = self._request(message)
        answer = await self._http.send(request, hook=self.name)
        judge(answer, request, hook=self.name, now=self._now())

    def _request(self, message: Message) -> HttpRequest:
        options = self._options
        body = self._body(message)
        headers = {**options.headers, "Content-Type": options.payload.content_type}
        if options.authorization:
            headers["Authorization"] = reveal(
                options.authorization, hook=self.name, key="authorization"
            )
        timestamp = int(self._now().timestamp())
        headers.update(signature_headers(message.id, timestamp, body, self._keys()))
        return HttpRequest(reveal(options.url, hook=self.name, key="url"), body, headers)

    def _body(self, message: Message) -> bytes:
        options = self._options
        if options.max_bytes is None:
            return options.payload.render(message)
        body = fitting(options.payload.render, message, options.max_bytes)
        if len(body) > options.max_bytes:
            msg = f"hook {self.name!r}: what its alerts have in common exceeds max_bytes; raise it"
            raise RefusedError(SendFailure.REFUSED, msg)
        return body

    def _keys(self) -> list[bytes]:
        secrets = [reveal(secret, hook=self.name, key="secret") for secret in self._options.secret]
        try:
            return [signing_key(secret) for secret in secrets]
        except ValueError as error:
            msg = f"hook {self.name!r}: {error}"
            raise RetryLaterError(SendFailure.FAILED, msg) from None


PLUGIN = Plugin("webhook", WebhookOptions, WebhookHook)
