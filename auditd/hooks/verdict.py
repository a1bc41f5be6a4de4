"""What an HTTP status says of a message, for receivers that say it by the status."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from auditd.alerting.events import SendFailure
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.port import (
    HttpAnswer,
    HttpRequest,
    RefusedError,
    RetryLaterError,
    SwitchedOffError,
)

_LONGEST_WAIT_SECONDS = 10.0**6
_SECONDS = re.compile(r"\d{1,9}")


def judge(answer: HttpAnswer, request: HttpRequest, *, hook: str, now: datetime) -> None:
    """Return when the receiver took the message.

    2xx is success; 410 switches the hook off; 408, 425, 429 and 5xx may pass; every other status
    is refused, 3xx included, because a redirect could lead anywhere.

    Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

    Raises:
        HookError: in every case but 2xx.
    """
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    said = excerpt(answer.body, request)
    what = f"hook {hook!r}: the receiver answered {status}" + (f": {said}" if said else "")
    wait_seconds = retry_after_seconds(answer, now)
    if status == HTTPStatus.GONE:
        msg = f"{what}; it wants no more: remove the hook, or mend it and run `hooks enable {hook}`"
        raise SwitchedOffError(msg)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise RetryLaterError(SendFailure.THROTTLED, what, retry_after_seconds=wait_seconds)
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}:
        raise RetryLaterError(SendFailure.TIMEOUT, what, retry_after_seconds=wait_seconds)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RetryLaterError(SendFailure.SERVER, what, retry_after_seconds=wait_seconds)
    msg = f"{what}; check the hook's url, its credentials and what the receiver expects"
    raise RefusedError(SendFailure.REFUSED, msg)


def retry_after_seconds(answer: HttpAnswer, now: datetime) -> float | None:
    """What the header Retry-After asks for, 0 to 10**6; None without a usable one.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    value = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _LONGEST_WAIT_SECONDS)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
