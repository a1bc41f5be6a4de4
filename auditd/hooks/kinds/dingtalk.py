"""`dingtalk`: Markdown in a DingTalk group, by its custom robot.

Source: https://open.dingtalk.com/document/robots/custom-robot-access (20 messages a minute, then
nothing for 10 minutes) and https://open.dingtalk.com/document/robots/customize-robot-security-settings
(signature in the query). The service answers a text of more than 20000 bytes with `message too
long, exceed 20000 bytes`. Seen of the real service: every failure is HTTP 200 with an `errcode`.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.json_message import json_request
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.port import Message, Surroundings
from auditd.hooks.revelation import require_web_address, reveal
from auditd.hooks.robot import LOOKALIKES, Dialect
from auditd.hooks.text_options import TextOptions

_LIMIT_BYTES = 20_000
"""Of the whole request, so that it does not matter what exactly the service counts."""

_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")

_DIALECT = Dialect(
    code="errcode",
    explanation="errmsg",
    throttled=frozenset({130101, 410100}),
    busy=frozenset({-1}),
    pause_seconds=600.0,
    advice={
        300001: "the robot does not exist: copy its url from the group's settings again",
        300005: "the robot does not exist: copy its url from the group's settings again",
        310000: (
            "its security settings do not let us in: the signature key, this machine's clock or"
            " address, or a key word that the text lacks"
        ),
        400013: "the group was dissolved: remove the hook",
        400101: "the robot does not exist: copy its url from the group's settings again",
        400102: "the robot was stopped: start it in the group's settings",
        430101: "the text has a link that the service takes for unsafe",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DingTalkOptions(TextOptions):
    """Markdown in a group of DingTalk."""

    url: Secret
    """The address that the group's settings show for the robot."""
    secret: Secret | None = None
    """The robot's signature key, when it demands signatures; it begins with SEC."""
    messages_per_minute: int | None = 20
    """The most messages in a minute; the service takes 20. Meanwhile alerts wait."""

    def __post_init__(self) -> None:
        require_web_address(self.url, "url")
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class DingTalkHook:
    """Tells one group."""

    kind = "dingtalk"
    limit: int | None = 50

    def __init__(self, name: str, options: DingTalkOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._surroundings = surroundings
        self._wording = options.wording(LOOKALIKES)
        self._plain = options.wording()

    async def send(self, message: Message) -> None:
        """See Hook."""
        now = self._surroundings.now()
        request = json_request(self._url(now), self._markdown(message))
        answer = await self._surroundings.http.send(request, hook=self.name)
        _DIALECT.judge(answer, request, hook=self.name, now=now)

    def _markdown(self, message: Message) -> dict[str, Any]:
        heading = f"### {self._wording.title(message.notification)}\n\n"
        title = self._plain.title(message.notification)

        def markdown(text: str) -> dict[str, Any]:
            whole = {"title": title, "text": _broken_lines(heading + text)}
            return {"msgtype": "markdown", "markdown": whole}

        text = self._wording.body(
            message,
            limit=_LIMIT_BYTES,
            separator="\n\n---\n\n",
            size=lambda text: len(json_request("", markdown(text)).body),
        )
        return markdown(text)

    def _url(self, now: datetime) -> str:
        """With the signature, whose text is the instant and the key itself."""
        url = reveal(self._options.url, hook=self.name, key="url")
        if not self._options.secret:
            return url
        secret = reveal(self._options.secret, hook=self.name, key="secret")
        timestamp = str(int(now.timestamp() * 1000))
        digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), "sha256")
        signature = {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}
        return f"{url}{'&' if '?' in url else '?'}{urlencode(signature)}"


def _broken_lines(text: str) -> str:
    """With two blanks before the end of a line, without which it is none in Markdown."""
    return _LINE_END.sub("  \n", text)


PLUGIN = Plugin("dingtalk", DingTalkOptions, DingTalkHook)
