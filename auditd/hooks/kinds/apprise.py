"""`apprise`: whatever else the library Apprise can send to, when it is installed.

Source: https://github.com/caronc/apprise (`Apprise.add` is false for an address that it does not
know, and `async_notify` when a service did not take the message; it does not say why).
"""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from auditd.alerting.events import SendFailure
from auditd.alerting.notification import NotifiedStatus
from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.port import Message, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.revelation import reveal
from auditd.hooks.text_options import TextOptions

_DEADLINE_SECONDS = 55.0
_MARGIN = 10
"""Characters that Apprise may add between a title and a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppriseOptions(TextOptions):
    """Any service of Apprise, which makes its own connections, without our check of addresses."""

    url: Secret
    """Apprise's address of the service, such as tgram://TOKEN/CHAT."""
    messages_per_minute: int | None = None
    """The most messages in a minute; meanwhile alerts wait and are told of together."""

    def __post_init__(self) -> None:
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class AppriseHook:
    """One service.

    Raises:
        ValueError: Apprise is not installed.
    """

    kind = "apprise"
    limit: int | None = 50

    def __init__(
        self,
        name: str,
        options: AppriseOptions,
        surroundings: Surroundings,  # noqa: ARG002 # every kind is built alike
    ) -> None:
        if find_spec("apprise") is None:
            msg = "this type needs Apprise: pip install 'servicestage-auditd[apprise]'"
            raise ValueError(msg)
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._url = options.url
        self._wording = options.wording()

    async def send(self, message: Message) -> None:
        """See Hook."""
        url = reveal(self._url, hook=self.name, key="url")
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                # In a thread, because the first time it imports more than a hundred modules.
                service = await asyncio.to_thread(self._service, url)
                has_arrived = await service.async_notify(**self._content(message, service))
        except TimeoutError:
            msg = f"hook {self.name!r}: Apprise was not done within {_DEADLINE_SECONDS:g} s"
            raise RetryLaterError(SendFailure.TIMEOUT, msg) from None
        if not has_arrived:
            msg = f"hook {self.name!r}: Apprise could not deliver; its lines in the log say more"
            raise RetryLaterError(SendFailure.SERVER, msg)

    def preview(self, message: Message) -> str:
        """See Preview. What Apprise makes of it for the service is its own affair."""
        url = reveal(self._url, hook=self.name, key="url")
        content = self._content(message, self._service(url))
        return f"{content['title']}\n\n{content['body']}\n"

    def _service(self, url: str) -> Any:
        service = importlib.import_module("apprise").Apprise()
        if not service.add(url):
            msg = f"hook {self.name!r}: the url is none that Apprise knows; check it"
            raise RefusedError(SendFailure.REFUSED, msg)
        return service

    def _content(self, message: Message, service: Any) -> dict[str, str]:
        notification = message.notification
        title = self._wording.title(notification)
        shortest = min(int(plugin.body_maxlen) for plugin in service)
        body = self._wording.body(message, limit=shortest - len(title) - _MARGIN)
        is_firing = notification.status is NotifiedStatus.FIRING
        kind = "failure" if is_firing else "success"
        return {"title": title, "body": body, "body_format": "text", "notify_type": kind}


PLUGIN = Plugin("apprise", AppriseOptions, AppriseHook)
