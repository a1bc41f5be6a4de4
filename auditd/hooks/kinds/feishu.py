"""`feishu`: a card in a Feishu or Lark group, by its custom robot.

Source: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot (20 KB a request, 100
messages a minute and 5 a second, codes 19021, 19022, 19024 and 11232; success is code 0 and not
the status) and
https://open.feishu.cn/document/feishu-cards/card-components/content-components/rich-text
(Markdown of cards, in which signs are escaped as numeric HTML entities).
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auditd.alerting.notification import Notification, NotifiedStatus
from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.json_message import json_request
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.port import Message, Surroundings
from auditd.hooks.revelation import require_web_address, reveal
from auditd.hooks.robot import Dialect, markdown_link
from auditd.hooks.templates import Target
from auditd.hooks.text_options import TextOptions

_LIMIT_BYTES = 20_000
_SIGNED_BYTES = 200
"""More than what a signature adds to a message."""

_MEANINGFUL = re.compile(r"[!-+\-/:<-@\[-`{-~]")
"""All ASCII signs but , . and ; which mean nothing."""

_DIALECT = Dialect(
    code="code",
    explanation="msg",
    throttled=frozenset({11232, 99991400}),
    busy=frozenset({1500, 1503, 1551}),
    pause_seconds=60.0,
    advice={
        9499: "the url is not that of a robot, or the robot does not understand the message",
        19001: "the url is not that of a robot: copy it from the group's settings again",
        19021: "the robot's signature key is another, or a clock is wrong by an hour",
        19022: "add this machine's address to the robot's allow list",
        19024: "the text lacks the robot's key word: use a signature, or a template that has it",
    },
)


def _escape(text: str) -> str:
    return _MEANINGFUL.sub(lambda sign: f"&#{ord(sign[0])};", text)


LARK_MARKDOWN = Target(escape=_escape, link=markdown_link)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeishuOptions(TextOptions):
    """A card in a group of Feishu or Lark."""

    url: Secret
    """The address that the group's settings show for the robot."""
    secret: Secret | None = None
    """The robot's signature key, when it demands signatures."""
    messages_per_minute: int | None = 100
    """The most messages in a minute; the service takes 100. Meanwhile alerts wait."""

    def __post_init__(self) -> None:
        require_web_address(self.url, "url")
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class FeishuHook:
    """Tells one group."""

    kind = "feishu"
    limit: int | None = 50

    def __init__(self, name: str, options: FeishuOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._surroundings = surroundings
        self._wording = options.wording(LARK_MARKDOWN)
        self._plain = options.wording()

    async def send(self, message: Message) -> None:
        """See Hook."""
        now = self._surroundings.now()
        url = reveal(self._options.url, hook=self.name, key="url")
        request = json_request(url, self._signature(now) | self._card(message))
        answer = await self._surroundings.http.send(request, hook=self.name)
        _DIALECT.judge(answer, request, hook=self.name, now=now)

    def _card(self, message: Message) -> dict[str, Any]:
        notification = message.notification
        title = self._plain.title(notification)

        def size(text: str) -> int:
            return len(json_request("", _card(title, text, notification)).body)

        text = self._wording.body(message, limit=_LIMIT_BYTES - _SIGNED_BYTES, size=size)
        return _card(title, text, notification)

    def _signature(self, now: datetime) -> dict[str, Any]:
        """The key signs nothing: it is part of the key of the MAC, and the text is empty."""
        if not self._options.secret:
            return {}
        secret = reveal(self._options.secret, hook=self.name, key="secret")
        timestamp = str(int(now.timestamp()))
        digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", "sha256")
        return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def _card(title: str, text: str, notification: Notification) -> dict[str, Any]:
    colour = "red" if notification.status is NotifiedStatus.FIRING else "green"
    return {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {"template": colour, "title": {"tag": "plain_text", "content": title}},
            "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": text}}],
        },
    }


PLUGIN = Plugin("feishu", FeishuOptions, FeishuHook)
