"""`wecom`: Markdown in a WeCom (WeChat Work) group, by its robot.

Source: https://developer.work.weixin.qq.com/document/path/91770 (4096 bytes of Markdown, 20
messages a minute; HTTP 200 whatever became of it) and
https://developer.work.weixin.qq.com/document/path/90455 (codes).
"""

from __future__ import annotations

from dataclasses import dataclass

from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.json_message import json_request
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.port import Message, Surroundings
from auditd.hooks.revelation import require_web_address, reveal
from auditd.hooks.robot import LOOKALIKES, Dialect
from auditd.hooks.text_options import TextOptions

_LIMIT_BYTES = 4096

_DIALECT = Dialect(
    code="errcode",
    explanation="errmsg",
    throttled=frozenset({45009, 45033}),
    busy=frozenset({-1, 6000}),
    pause_seconds=60.0,
    advice={
        40058: "the message is not what the robot expects: this may be a defect of ours",
        93000: "the robot does not exist: copy its url from the group's settings again",
        93004: "the robot was stopped: start it in the group's settings",
        93008: "the robot is not in the group any more: add it again",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeComOptions(TextOptions):
    """Markdown in a group of WeCom (WeChat Work)."""

    url: Secret
    """The address that the group's settings show for the robot."""
    messages_per_minute: int | None = 20
    """The most messages in a minute; the service takes 20. Meanwhile alerts wait."""

    def __post_init__(self) -> None:
        require_web_address(self.url, "url")
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class WeComHook:
    """Tells one group."""

    kind = "wecom"
    limit: int | None = 20

    def __init__(self, name: str, options: WeComOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._url = options.url
        self._surroundings = surroundings
        self._wording = options.wording(LOOKALIKES)

    async def send(self, message: Message) -> None:
        """See Hook."""
        url = reveal(self._url, hook=self.name, key="url")
        markdown = {"content": self._content(message)}
        request = json_request(url, {"msgtype": "markdown", "markdown": markdown})
        answer = await self._surroundings.http.send(request, hook=self.name)
        _DIALECT.judge(answer, request, hook=self.name, now=self._surroundings.now())

    def _content(self, message: Message) -> str:
        heading = f"### {self._wording.title(message.notification)}\n\n"
        limit = _LIMIT_BYTES - len(heading.encode())
        body = self._wording.body(message, limit=limit, size=lambda text: len(text.encode()))
        return heading + body


PLUGIN = Plugin("wecom", WeComOptions, WeComHook)
