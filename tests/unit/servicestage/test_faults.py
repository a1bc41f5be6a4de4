from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.errors import RefusedError, RemoteError, ThrottledError
from auditd.servicestage.faults import MAX_RETRY_AFTER_SECONDS, classify
from auditd.servicestage.message import Answer

HOST = "servicestage.cn-north-4.myhuaweicloud.com"


def fault(status: int, body: Any = b"", **headers: str) -> PollError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = classify(Answer(status, named, raw), HOST)
    assert error is not None
    return error


def gateway(code: str, message: str) -> dict[str, str]:
    return {"error_msg": message, "error_code": code, "request_id": "r1"}


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299])
def test_success_is_no_fault(status: int) -> None:
    assert classify(Answer(status, {}, b"whatever"), HOST) is None


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        ((300, 301, 302, 304, 307, 308), FailureReason.REDIRECT),
        ((400, 402, 405, 409, 413, 414, 415, 451, 494), FailureReason.BAD_REQUEST),
        ((401,), FailureReason.AUTH),
        ((403,), FailureReason.FORBIDDEN),
        ((404, 410), FailureReason.NOT_FOUND),
        ((407,), FailureReason.CONNECT),
        ((429,), FailureReason.THROTTLED),
        ((408, 500, 501, 502, 503, 504, 599), FailureReason.SERVER),
        ((0, 100, 101, 199, 600, 999), FailureReason.MALFORMED),
    ],
)
def test_the_status_gives_the_reason(statuses: tuple[int, ...], reason: FailureReason) -> None:
    assert {fault(status).reason for status in statuses} == {reason}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error_code": "C", "error_msg": "M"}, "C", "M"),
        ({"error_code": "C", "error_message": "M"}, "C", "M"),
        ({"errorCode": "C", "errorMessage": "M", "detail": "D"}, "C", "M"),
        ([{"errorCode": "C", "errorMessage": "M"}], "C", "M"),
        ({"code": "C", "message": "M"}, "C", "M"),
        ({"error": {"code": 418, "message": "M", "title": "T"}}, "418", "M"),
        ({"errors": [{"inner": {"error_code": "C", "error_msg": "M"}}]}, "C", "M"),
        ({"error_code": None, "error_msg": ["M"]}, "", ""),
        ({"unheard": "of"}, "", ""),
        ({}, "", ""),
        ("just text", "", '"just text"'),
        (b"upstream connect error", "", "upstream connect error"),
        (b"<html>secret</html>", "", ""),
        (b"", "", ""),
        (b"\xff\xfe", "", "\ufffd\ufffd"),
        (b"[" * 100_000, "", ""),
    ],
)
def test_every_shape_of_body_is_read(body: Any, code: str, message: str) -> None:
    error = fault(418, body)
    assert isinstance(error, RemoteError)
    assert error.code == code
    said = f"{HOST} answered 418 {code if code != '418' else ''}".rstrip()
    assert str(error).startswith(f"{said}: {message};" if message else f"{said};")


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [
        ({"x_request_id": "a"}, "a"),
        ({"x_iam_trace_id": "b"}, "b"),
        ({"x_request_id": "a", "x_iam_trace_id": "b"}, "a"),
        ({}, "r1"),
        ({"x_request_id": "\udcffa\x00" + "b c " * 100}, "ab c" + " b c" * 15),
    ],
)
def test_the_request_id_is_kept_for_the_vendor(headers: dict[str, str], request_id: str) -> None:
    error = fault(500, gateway("APIGW.0601", "Internal server error."), **headers)
    assert isinstance(error, RemoteError)
    assert error.request_id == request_id
    assert str(error).endswith(f"(request {request_id})")


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("verify aksk signature fail", "check the secret key, and that this clock"),
        ("decrypt token fail", "the token has expired, was revoked or is of another region"),
        ("token expires, expires_at: 2026-01-15T08:30:00.000000Z", "renew it"),
        ("x-auth-token not found", "check the credential"),
        ("ak AKFAKEEXAMPLE0000001 not exist", "does not exist"),
        ("Get secretKey failed,ak:AKFAKEEXAMPLE0000001,err:ak not exist", "does not exist"),
        ("The username or password is wrong.", "check the domain, the user and the password"),
    ],
)
def test_a_refused_credential_says_what_to_check(message: str, remedy: str) -> None:
    said = f"Incorrect IAM authentication information: {message}"
    error = fault(401, gateway("APIGW.0301", said))
    assert isinstance(error, RefusedError)
    assert error.reason is FailureReason.AUTH
    assert remedy in str(error)
    assert "AKFAKE" not in str(error)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    "message",
    [
        "Incorrect IAM authentication information: AK access failed to reach the limit,forbidden.",
        "The account is locked.",
        "Your user has been locked. Try again in 15 minutes.",
    ],
)
def test_a_lock_is_a_refusal_whatever_its_status(status: int, message: str) -> None:
    error = fault(status, gateway("APIGW.0301", message))
    assert isinstance(error, RefusedError)
    assert error.reason is FailureReason.AUTH_LOCKED
    assert "locked" in str(error)


def test_a_locked_project_is_no_refusal_of_the_credential() -> None:
    error = fault(403, gateway("APIGW.0310", "The project is locked."))
    assert error.reason is FailureReason.FORBIDDEN
    assert not isinstance(error, RefusedError)


@pytest.mark.parametrize("code", ["1101", "1103", "IAM.1101", "IAM.1103"])
def test_a_wrong_password_with_status_400_is_a_refusal(code: str) -> None:
    error = fault(400, {"error_code": code, "error_msg": "incorrect password"})
    assert isinstance(error, RefusedError)
    assert error.reason is FailureReason.AUTH
    assert error.status == 400


@pytest.mark.parametrize(
    ("status", "code", "remedy"),
    [
        (302, "", "redirects are never followed"),
        (400, "SVCSTG.REPO.0400", "check project_id and endpoint"),
        (400, "IAM.0011", "check the domain, the user and the password"),
        (403, "APIGW.0302", "grant the user servicestage:app:list"),
        (403, "SVCSTG.0403", "grant the user servicestage:app:list"),
        (403, "IAM.0003", "grant the user the right to use IAM"),
        (403, "403", "grant the user the right to use IAM"),
        (403, "APIG.0310", "the project is frozen"),
        (403, "APIGW.0802", "not in this region"),
        (401, "APIG.0307", "renew it"),
        (404, "APIGW.0101", "check region and endpoint"),
        (404, "SVCSTG.00100403", "check project_id, region and endpoint"),
        (429, "APIGW.0308", "lower requests_per_second"),
        (407, "", "the proxy wants a user and a password"),
        (503, "APIGW.0613", "it will be tried again"),
        (999, "", "check the endpoint"),
    ],
)
def test_each_kind_of_fault_names_its_remedy(status: int, code: str, remedy: str) -> None:
    assert remedy in str(fault(status, {"error_code": code, "error_msg": "m"}))


@pytest.mark.parametrize(
    ("message", "headers", "seconds"),
    [
        ("", {"retry_after": "7"}, 7.0),
        ("", {"retry_after": " 7 "}, 7.0),
        ("", {"retry_after": "0"}, 0.0),
        ("", {"retry_after": "86400"}, MAX_RETRY_AFTER_SECONDS),
        ("", {"retry_after": "9" * 5000}, MAX_RETRY_AFTER_SECONDS),
        ("", {"retry_after": "-7"}, None),
        ("", {"retry_after": "soon"}, None),
        ("", {"retry_after": "\u0667"}, None),
        ("", {}, None),
        (
            "",
            {
                "retry_after": "Tue, 24 Nov 2026 09:01:30 GMT",
                "date": "Tue, 24 Nov 2026 09:00:00 GMT",
            },
            90.0,
        ),
        (
            "",
            {
                "retry_after": "Tue, 24 Nov 2026 08:00:00 GMT",
                "date": "Tue, 24 Nov 2026 09:00:00 -0000",
            },
            0.0,
        ),
        ("", {"retry_after": "Tue, 24 Nov 2026 09:01:30 GMT"}, None),
        ("policy user over ratelimit,limit:200,time:5 minute", {}, 300.0),
        ("policy ip over ratelimit,limit:5,time:1 second", {}, 1.0),
        ("limit:5,time:1 day", {}, MAX_RETRY_AFTER_SECONDS),
        ("limit:200,time:5 minute", {"retry_after": "7"}, 7.0),
        ("limit:200,time:5 minute", {"retry_after": "soon"}, 300.0),
        ("limit:5,time:3 fortnight", {}, None),
    ],
)
def test_how_long_to_wait_is_read_from_header_or_hint(
    message: str, headers: dict[str, str], seconds: float | None
) -> None:
    error = fault(429, gateway("APIGW.0308", message), **headers)
    assert isinstance(error, ThrottledError)
    assert error.retry_after_seconds == seconds
    assert (error.code, error.request_id) == ("APIGW.0308", "r1")


def test_what_was_signed_is_not_shown() -> None:
    error = fault(
        401,
        gateway(
            "APIGW.0301",
            "Incorrect IAM authentication information: verify aksk signature fail,"
            "canonicalRequest:GET|/v1/p/git/auths/||host:h|x-security-token:hush|x-auth-token:hush",
        ),
    )
    assert "canonicalRequest: not shown" in str(error)
    assert "hush" not in str(error)


@pytest.mark.parametrize(
    "message",
    [
        "ak HPUAEXAMPLE000000001 not exist",
        "AK:HPUAEXAMPLE000000001",
        "Access=HPUAEXAMPLE000000001, SignedHeaders=host",
        "the key HPUAEXAMPLE000000001 is unknown",
        "ak=short-HPUA refused",
        "ak HPUA\x00EXAMPLE000000001 not exist",
        "token " + "MIIat" * 20 + "HPUA is not valid",
        "cannot clone https://bot:HPUA/x+1==@git.example/repo.git",
        "GET https://git.example/api?page=1&private_token=HPUA==&x=1 failed",
    ],
)
def test_keys_and_tokens_are_not_shown(message: str) -> None:
    assert "HPUA" not in str(fault(401, gateway("APIGW.0301", message)))


def test_the_status_is_not_repeated_as_the_code_that_iam_makes_of_it() -> None:
    body = {"error": {"code": 401, "message": "The username or password is wrong."}}
    assert str(fault(401, body)).startswith(f"{HOST} answered 401: The username or password")


def test_a_long_message_is_cut_and_stays_one_line() -> None:
    error = fault(500, gateway("C" * 300, "line\n\x1b[31m" + "long " * 200))
    assert str(error).isprintable()
    assert len(str(error)) < 600


@given(
    st.integers(0, 999).filter(lambda status: status // 100 != 2),
    st.dictionaries(
        st.sampled_from(["x-request-id", "retry-after", "date"]), st.text(), max_size=3
    ),
    st.binary() | st.text().map(lambda text: json.dumps(gateway(text, text)).encode()),
)
def test_any_answer_that_is_no_success_is_one_clean_error(
    status: int, headers: dict[str, str], body: bytes
) -> None:
    error = classify(Answer(status, headers, body), HOST)
    assert isinstance(error, RemoteError)
    assert error.status == status
    assert str(error).isprintable()
