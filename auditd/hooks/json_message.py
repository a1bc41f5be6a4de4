"""JSON that hooks post, and what they are answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from auditd.alerting.events import SendFailure
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.port import HttpAnswer, HttpRequest, RetryLaterError


def json_request(url: str, message: Mapping[str, Any]) -> HttpRequest:
    """A POST of `message` in plain UTF-8: WeCom does not take JSON's escapes of characters."""
    body = json.dumps(message, ensure_ascii=False).encode(errors="replace")
    return HttpRequest(url, body, {"Content-Type": "application/json; charset=utf-8"})


def json_object(answer: HttpAnswer) -> Mapping[str, Any]:
    """What the answer says; nothing when its body is not a JSON object."""
    try:
        said: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def strange_answer(
    answer: HttpAnswer, request: HttpRequest, *, hook: str, expected: str
) -> RetryLaterError:
    """The error for an answer that the service does not give: somebody else answered.

    That may be a proxy or a login page, so the message is tried on.
    """
    said = excerpt(answer.body, request) or "an empty body"
    msg = (
        f"hook {hook!r}: {expected} was expected, and the answer was {answer.status}: {said};"
        " check the hook's address and what is on the way there"
    )
    return RetryLaterError(SendFailure.SERVER, msg)
