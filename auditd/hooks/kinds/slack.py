"""`slack`: a message in a Slack channel, by an incoming webhook.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (200 `ok`; errors
in words with 400, 403, 404 and 410), https://docs.slack.dev/apis/web-api/rate-limits (one message
a second, 429 with Retry-After), https://docs.slack.dev/reference/block-kit/blocks (50 blocks, 150
characters of a header, 3000 of a section) and
https://docs.slack.dev/messaging/formatting-message-text (only & < > are escaped).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auditd.audit.plugin import Plugin, Secret
from auditd.hooks.fit import cut_lines, most_that_fit
from auditd.hooks.json_message import json_request, strange_answer
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.port import Message, Surroundings
from auditd.hooks.revelation import require_web_address, reveal
from auditd.hooks.templates import Target
from auditd.hooks.text_options import TextOptions
from auditd.hooks.verdict import judge

_HEADER_LIMIT = 150
_SECTION_LIMIT = 3000
_LIMIT_BYTES = 40_000
"""Of the whole request. Source: https://docs.slack.dev/changelog/2018-truncating-really-long-messages
(what has more than 40,000 characters is cut, which would be anywhere)."""

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _escape(text: str) -> str:
    return text.translate(_ENTITIES)


MRKDWN = Target(escape=_escape, link=lambda url, words: f"<{_escape(url)}|{words}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackOptions(TextOptions):
    """A message in a channel of Slack."""

    url: Secret
    """The address of the incoming webhook."""
    messages_per_minute: int | None = 60
    """The most messages in a minute; the service takes about 60. Meanwhile alerts wait."""

    def __post_init__(self) -> None:
        require_web_address(self.url, "url")
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class SlackHook:
    """Tells one channel."""

    kind = "slack"
    limit: int | None = 20

    def __init__(self, name: str, options: SlackOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._url = options.url
        self._surroundings = surroundings
        self._wording = options.wording(MRKDWN)
        self._plain = options.wording()

    async def send(self, message: Message) -> None:
        """See Hook."""
        url = reveal(self._url, hook=self.name, key="url")
        request = json_request(url, self._payload(message))
        answer = await self._surroundings.http.send(request, hook=self.name)
        judge(answer, request, hook=self.name, now=self._surroundings.now())
        if answer.body.strip() != b"ok":
            raise strange_answer(answer, request, hook=self.name, expected="Slack's ok")

    def _payload(self, message: Message) -> dict[str, Any]:
        notification = message.notification
        title = self._plain.title(notification)
        text = self._wording.title(notification)  # what a phone shows before it is opened
        header = {"type": "header", "text": {"type": "plain_text", "text": _shortened(title)}}
        alerts = notification.alerts
        sections = [_section(self._wording.alert(alert)) for alert in alerts]

        def payload(count: int) -> dict[str, Any]:
            left_out = len(alerts) - count + notification.truncated
            more = [self._wording.more(left_out, message.external_url)] if left_out else []
            context = [{"type": "context", "elements": [_mrkdwn(words)]} for words in more]
            return {"text": text, "blocks": [header, *sections[:count], *context]}

        def fits(count: int) -> bool:
            return len(json_request("", payload(count)).body) <= _LIMIT_BYTES

        return payload(most_that_fit(len(alerts), fits))


def _section(text: str) -> dict[str, Any]:
    cut = cut_lines(text, lambda lines: len(lines) <= _SECTION_LIMIT)
    return {"type": "section", "text": _mrkdwn(cut or "…")}


def _mrkdwn(text: str) -> dict[str, Any]:
    """Verbatim: no address, channel or person is made of what only looks like one."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _shortened(title: str) -> str:
    return title if len(title) <= _HEADER_LIMIT else title[: _HEADER_LIMIT - 1] + "…"


PLUGIN = Plugin("slack", SlackOptions, SlackHook)
