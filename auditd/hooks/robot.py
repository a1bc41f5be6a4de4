"""What the group robots of Feishu, DingTalk and WeCom have in common.

They answer with HTTP 200 whatever became of the message, and say in the body what did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from auditd.alerting.events import SendFailure
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.json_message import json_object, strange_answer
from auditd.hooks.port import HttpAnswer, HttpRequest, RefusedError, RetryLaterError
from auditd.hooks.templates import Target
from auditd.hooks.verdict import judge, retry_after_seconds

_LOOKALIKES = str.maketrans("<>[]*`#\\", "＜＞［］＊｀＃＼")  # noqa: RUF001 # that is the point


def markdown_link(url: str, words: str) -> str:
    """A link whose address has none of the brackets that would end it."""
    path = url.translate({ord("("): "%28", ord(")"): "%29"})
    return f"[{words}]({path})"


LOOKALIKES = Target(escape=lambda text: text.translate(_LOOKALIKES), link=markdown_link)
"""Markdown of which nobody says how its signs are escaped: their full-width twins mean nothing."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one service says what became of a message."""

    code: str
    """The key of a number; 0 is success."""
    explanation: str
    """The key of a sentence beside it."""
    throttled: frozenset[int]
    """Codes for too many messages."""
    busy: frozenset[int]
    """Codes for trouble of the service's own."""
    pause_seconds: float
    """How long to wait once there were too many messages, unless Retry-After tells."""
    advice: Mapping[int, str]
    """What to do about some of the other codes."""

    def judge(self, answer: HttpAnswer, request: HttpRequest, *, hook: str, now: datetime) -> None:
        """Return when the message was taken.

        Raises:
            HookError: it was not, or the answer does not say.
        """
        code, explanation = self._read(answer)
        told = excerpt(explanation, request)
        what = f"hook {hook!r}: the robot answered {self.code} {code}: {told}"
        if code in self.throttled:
            wait_seconds = retry_after_seconds(answer, now) or self.pause_seconds
            raise RetryLaterError(SendFailure.THROTTLED, what, retry_after_seconds=wait_seconds)
        if code in self.busy:
            raise RetryLaterError(SendFailure.SERVER, what)
        judge(answer, request, hook=hook, now=now)
        if code is None:
            expected = f"a robot's {self.code}"
            raise strange_answer(answer, request, hook=hook, expected=expected)
        if code:
            advice = self.advice.get(code, "check the robot's settings")
            raise RefusedError(SendFailure.REFUSED, f"{what}; {advice}")

    def _read(self, answer: HttpAnswer) -> tuple[int | None, str]:
        """The code, None when there is none, and the explanation."""
        said = json_object(answer)
        code = said.get(self.code)
        if not isinstance(code, int) or isinstance(code, bool):
            return None, ""
        return code, str(said.get(self.explanation, ""))
