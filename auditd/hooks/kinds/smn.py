"""`smn`: a message to all subscribers of a topic of Huawei Cloud's Simple Message Notification.

Source: https://support.huaweicloud.com/intl/en-us/api-smn/PublishMessage.html (512 bytes of
subject, 256 KB of message) and https://support.huaweicloud.com/en-us/api-smn/smn_api_64000.html
(codes; they come with a fitting HTTP status).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from auditd.audit.plugin import Plugin
from auditd.hooks.json_message import json_object, json_request, strange_answer
from auditd.hooks.option_checks import require_at_least_one, require_web_url
from auditd.hooks.port import HttpRequest, Message, Surroundings
from auditd.hooks.text_options import TextOptions
from auditd.hooks.verdict import judge

_SUBJECT_LIMIT_BYTES = 512
_LIMIT_BYTES = 256 * 1024
"""Of a message by the documentation; here of the whole request, to be on the safe side."""

_TOPIC = re.compile(r"urn:smn:[a-z0-9-]+:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmnOptions(TextOptions):
    """A topic of Huawei Cloud SMN, whose subscribers get mails, text messages and more."""

    topic_urn: str
    """The topic, such as urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:alerts."""
    credential: str
    """The name of one of `credentials`; it needs the permission smn:topic:publish."""
    endpoint: str | None = None
    """The address of the service, when it is not https://smn.REGION.myhuaweicloud.com."""
    messages_per_minute: int | None = None
    """The most messages in a minute; meanwhile alerts wait and are told of together."""

    def __post_init__(self) -> None:
        if not _TOPIC.fullmatch(self.topic_urn):
            msg = "topic_urn must look like urn:smn:REGION:PROJECT_ID:NAME"
            raise ValueError(msg)
        if self.endpoint is not None:
            require_web_url(self.endpoint, "endpoint")
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class SmnHook:
    """Publishes to one topic."""

    kind = "smn"
    limit: int | None = 100

    def __init__(self, name: str, options: SmnOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._surroundings = surroundings
        self._wording = options.wording()

    async def send(self, message: Message) -> None:
        """See Hook."""
        _, _, region, project_id, _ = self._options.topic_urn.split(":")
        request = await self._surroundings.sign(
            self._request(message, region, project_id),
            credential=self._options.credential,
            project_id=project_id,
            region=region,
        )
        answer = await self._surroundings.http.send(request, hook=self.name)
        judge(answer, request, hook=self.name, now=self._surroundings.now())
        if not json_object(answer).get("message_id"):
            raise strange_answer(answer, request, hook=self.name, expected="SMN's message_id")

    def _request(self, message: Message, region: str, project_id: str) -> HttpRequest:
        subject = _cut(self._wording.title(message.notification))
        text = self._wording.body(
            message,
            limit=_LIMIT_BYTES,
            size=lambda text: len(json_request("", {"subject": subject, "message": text}).body),
        )
        origin = self._options.endpoint or f"https://smn.{region}.myhuaweicloud.com"
        topic = quote(self._options.topic_urn, safe="")
        url = f"{origin.rstrip('/')}/v2/{project_id}/notifications/topics/{topic}/publish"
        return json_request(url, {"subject": subject, "message": text})


def _cut(title: str) -> str:
    """As many whole characters as a subject takes."""
    return title.encode()[:_SUBJECT_LIMIT_BYTES].decode(errors="ignore")


PLUGIN = Plugin("smn", SmnOptions, SmnHook)
