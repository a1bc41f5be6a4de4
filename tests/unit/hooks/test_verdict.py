from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from auditd.alerting.events import SendFailure
from auditd.alerting.retry import FailureKind
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.port import HookError, HttpAnswer, HttpRequest, RefusedError, RetryLaterError
from auditd.hooks.verdict import judge, retry_after_seconds
from tests.unit.hooks.fakes import START

REQUEST = HttpRequest(
    "https://hooks.example.com/services/T0123456789/secret-path-part?token=query-token-value",
    b"",
    {"Authorization": "Bearer header-token-value"},
)


def _judge(status: int, body: bytes = b"", **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    judge(HttpAnswer(status, named, body), REQUEST, hook="ops", now=START)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(status: int) -> None:
    _judge(status)


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (301, SendFailure.REFUSED, FailureKind.REFUSED),
        (302, SendFailure.REFUSED, FailureKind.REFUSED),
        (400, SendFailure.REFUSED, FailureKind.REFUSED),
        (401, SendFailure.REFUSED, FailureKind.REFUSED),
        (404, SendFailure.REFUSED, FailureKind.REFUSED),
        (408, SendFailure.TIMEOUT, FailureKind.TRANSIENT),
        (410, SendFailure.GONE, FailureKind.GONE),
        (425, SendFailure.TIMEOUT, FailureKind.TRANSIENT),
        (429, SendFailure.THROTTLED, FailureKind.TRANSIENT),
        (500, SendFailure.SERVER, FailureKind.TRANSIENT),
        (503, SendFailure.SERVER, FailureKind.TRANSIENT),
        (599, SendFailure.SERVER, FailureKind.TRANSIENT),
    ],
)
def test_each_other_status_has_its_reason(
    status: int, reason: SendFailure, kind: FailureKind
) -> None:
    with pytest.raises(HookError) as caught:
        _judge(status)
    assert caught.value.reason is reason
    assert caught.value.failure.kind is kind


def test_retry_after_is_passed_on_with_429_and_5xx() -> None:
    for status in (429, 503):
        with pytest.raises(RetryLaterError) as caught:
            _judge(status, retry_after="120")
        assert caught.value.failure.retry_after == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("999999999", 10.0**6),
        (format_datetime(START + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(START - timedelta(days=1), usegmt=True), 0.0),
        ("Tue, 24 Nov 2026 12:00:30", 30.0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_nothing_else(
    value: str, seconds: float | None
) -> None:
    assert retry_after_seconds(HttpAnswer(429, {"retry-after": value}, b""), START) == seconds


def test_what_the_receiver_said_is_quoted_without_what_we_kept_secret() -> None:
    said = (
        b"no: T0123456789/secret-path-part query-token-value\r\n"
        b"Bearer header-token-value \xff\x1b[31m " + b"x" * 1000
    )
    with pytest.raises(RefusedError) as caught:
        _judge(400, said)
    text = str(caught.value)
    for secret in ("T0123456789", "secret-path-part", "query-token-value", "header-token-value"):
        assert secret not in text
    assert text.startswith("hook 'ops': the receiver answered 400: no: ***/*** *** *** ")
    assert text.isprintable()
    assert len(text) < 500


def test_an_encoded_echo_of_a_secret_is_found_too() -> None:
    request = HttpRequest("https://h.example/?key=a%2Fb%2Fsecret%3D", b"")
    assert excerpt("got a/b/secret= or a%2Fb%2Fsecret%3D", request) == "got *** or ***"


def test_no_part_of_a_request_is_in_its_repr() -> None:
    assert repr(REQUEST) == "HttpRequest(method='POST')"
