"""What an answer means when it is no success."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.error_body import ErrorBody, read_error
from auditd.servicestage.errors import RefusedError, RemoteError, ThrottledError
from auditd.servicestage.message import Answer, host_of
from auditd.servicestage.remedies import remedy

MAX_RETRY_AFTER_SECONDS = 3600.0

_LOCKED = re.compile(
    r"failed to reach the limit|\b(account|user|key)\b.*\block(ed)?\b", re.IGNORECASE
)
_WRONG_USER_OR_PASSWORD = re.compile(r"(IAM\.)?110[13]")
_WINDOW = re.compile(r"limit:\d+,time:(\d{1,9}) ?(second|minute|hour|day)", re.IGNORECASE)
_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}

_SUCCESS = 2
_REASONS = {
    403: FailureReason.FORBIDDEN,
    404: FailureReason.NOT_FOUND,
    407: FailureReason.CONNECT,  # from a forward proxy, not from the vendor
    408: FailureReason.SERVER,
    410: FailureReason.NOT_FOUND,
}
_REASONS_BY_HUNDRED = {
    3: FailureReason.REDIRECT,
    4: FailureReason.BAD_REQUEST,
    5: FailureReason.SERVER,
}


def classify(answer: Answer, origin: str) -> PollError | None:
    """Why `answer` is no success, None for the statuses from 200 to 299.

    The status decides, because the vendor uses one code with several statuses. A locked key or
    user, and IAM's "wrong password" with status 400, are refusals whatever their status.
    Of `origin` only the host is shown, without user info.

    Source: API gateway, "Error Codes"; IAM API reference, "Error Codes".
    """
    if answer.status // 100 == _SUCCESS:
        return None
    error, host = read_error(answer), host_of(origin)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(
            _message(answer.status, error, host),
            retry_after_seconds=_retry_after_seconds(answer, error),
            code=error.code,
            request_id=error.request_id,
        )
    reason = _refusal(answer.status, error)
    kind = RefusedError if reason else RemoteError
    return kind(
        reason or _reason(answer.status),
        _message(answer.status, error, host),
        status=answer.status,
        code=error.code,
        request_id=error.request_id,
    )


def _refusal(status: int, error: ErrorBody) -> FailureReason | None:
    """Why the credential itself was not accepted, None when it was not looked at or was fine."""
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN if _LOCKED.search(error.message):
            return FailureReason.AUTH_LOCKED
        case HTTPStatus.UNAUTHORIZED:
            return FailureReason.AUTH
        case HTTPStatus.BAD_REQUEST if _WRONG_USER_OR_PASSWORD.fullmatch(error.code):
            return FailureReason.AUTH
        case _:
            return None


def _reason(status: int) -> FailureReason:
    by_hundred = _REASONS_BY_HUNDRED.get(status // 100, FailureReason.MALFORMED)
    return _REASONS.get(status, by_hundred)


def _message(status: int, error: ErrorBody, host: str) -> str:
    code = error.code if error.code != str(status) else ""  # IAM repeats the status as its code
    said = f"{host} answered {status} {code}".rstrip()
    said = f"{said}: {error.message}" if error.message else said
    request = f" (request {error.request_id})" if error.request_id else ""
    return f"{said}; {remedy(status, error.code, error.message)}{request}"


def _retry_after_seconds(answer: Answer, error: ErrorBody) -> float | None:
    """How long to wait, from 0 to MAX_RETRY_AFTER_SECONDS; None when nothing tells.

    A date is compared with the answer's own Date, so that our clock does not matter.

    Source: RFC 9110, 10.2.3; the gateway itself is known only for the hint in its message,
    for example `policy user over ratelimit,limit:200,time:5 minute`.
    """
    header = answer.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return min(float(header), MAX_RETRY_AFTER_SECONDS)
    until, now = _http_date(header), _http_date(answer.headers.get("date", ""))
    if until and now:
        return min(max((until - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)
    if window := _WINDOW.search(error.message):
        seconds = float(window[1]) * _UNIT_SECONDS[window[2].lower()]
        return min(seconds, MAX_RETRY_AFTER_SECONDS)
    return None


def _http_date(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
