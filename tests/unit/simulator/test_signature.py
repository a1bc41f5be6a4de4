from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditd.simulator.signature import (
    Claim,
    SignedRequest,
    canonical_request,
    is_genuine,
    is_timely,
    lower_headers,
    parse_authorization,
)

GOLDEN = json.loads((Path(__file__).parent / "data" / "signatures.json").read_text("utf-8"))
SIGNED_AT = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


def as_sent(vector: dict[str, Any]) -> SignedRequest:
    """The vector's headers hold UTF-8 seen as latin-1, which is how the bytes travel."""
    headers = vector["headers_out"].items()
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    body = (vector["body"] or "").encode()
    return SignedRequest(vector["method"], vector["wire_target"], lower_headers(raw), body)


def claim_of(request: SignedRequest) -> Claim:
    claim = parse_authorization(request.headers["authorization"].decode())
    assert claim is not None
    return claim


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["id"])
def test_what_the_official_signer_sends_is_genuine(vector: dict[str, Any]) -> None:
    request = as_sent(vector)
    claim = claim_of(request)
    assert claim.access_key == GOLDEN["ak"]
    assert canonical_request(request, claim.signed_headers).decode() == vector["canonical_request"]
    assert is_genuine(request, claim, GOLDEN["sk"], SIGNED_AT)


@pytest.mark.parametrize("vector", GOLDEN["upstream_vectors"], ids=["get", "post"])
def test_the_sdks_own_test_vectors_are_genuine(vector: dict[str, Any]) -> None:
    headers = {"host": vector["host"].encode(), "x-sdk-date": vector["date"].encode()}
    request = SignedRequest(
        vector["method"], vector["wire_target"], headers, vector["body"].encode()
    )
    claim = parse_authorization(vector["authorization"])
    assert claim is not None
    signed_at = datetime(2020, 6, 8, 2, 39, tzinfo=UTC)
    assert is_genuine(request, claim, vector["sk"], signed_at)


def changed(request: SignedRequest) -> list[SignedRequest]:
    """The same request with one thing other than it was signed."""
    return [
        replace(request, method="PUT"),
        replace(request, target=request.target + "x"),
        replace(request, body=request.body + b"x"),
        replace(request, headers=request.headers | {"host": b"elsewhere.example"}),
        replace(request, headers=request.headers | {"content-type": b"text/plain"}),
    ]


@pytest.mark.parametrize("altered", range(5))
def test_a_request_that_was_altered_is_not_genuine(altered: int) -> None:
    request = as_sent(GOLDEN["vectors"][17])
    forged = changed(request)[altered]
    assert not is_genuine(forged, claim_of(request), GOLDEN["sk"], SIGNED_AT)


def test_another_secret_key_is_not_genuine() -> None:
    request = as_sent(GOLDEN["vectors"][0])
    assert not is_genuine(request, claim_of(request), GOLDEN["sk"] + "x", SIGNED_AT)


def test_a_signed_header_that_did_not_come_is_not_genuine() -> None:
    request = as_sent(GOLDEN["vectors"][0])
    headers = {name: value for name, value in request.headers.items() if name != "content-type"}
    stripped = replace(request, headers=headers)
    assert not is_genuine(stripped, claim_of(request), GOLDEN["sk"], SIGNED_AT)


def test_a_signature_without_host_is_not_genuine() -> None:
    request = as_sent(GOLDEN["vectors"][0])
    claim = replace(claim_of(request), signed_headers=("x-sdk-date",))
    assert not is_genuine(request, claim, GOLDEN["sk"], SIGNED_AT)


@pytest.mark.parametrize(
    ("seconds", "timely"), [(0, True), (900, True), (-900, True), (901, False), (-901, False)]
)
def test_clocks_may_differ_by_exactly_fifteen_minutes(seconds: int, *, timely: bool) -> None:
    now = SIGNED_AT + timedelta(seconds=seconds)
    request = as_sent(GOLDEN["vectors"][0])
    assert is_genuine(request, claim_of(request), GOLDEN["sk"], now) is timely


@pytest.mark.parametrize(
    "date", ["", "2026-01-15T08:30:00Z", "20260115T083000", "99999999T999999Z"]
)
def test_a_date_in_another_form_is_not_timely(date: str) -> None:
    assert not is_timely(date, SIGNED_AT)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer x",
        "SDK-HMAC-SHA256 Access=AK",
        "SDK-HMAC-SM3 Access=a, SignedHeaders=b, Signature=c",
    ],
)
def test_other_authorizations_are_no_claim(value: str) -> None:
    assert parse_authorization(value) is None


def test_an_unsigned_payload_may_be_anything() -> None:
    headers = {"x-sdk-content-sha256": b"UNSIGNED-PAYLOAD", "host": b"h"}
    one = SignedRequest("POST", "/", headers, b"one")
    other = replace(one, body=b"other")
    assert canonical_request(one, ["host"]) == canonical_request(other, ["host"])


text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(segment=text, query=st.lists(st.tuples(text, text), max_size=4), body=st.binary(max_size=50))
def test_whatever_the_official_signer_signs_is_genuine(
    sdk: Any, segment: str, query: list[tuple[str, str]], body: bytes
) -> None:
    request = sdk.SdkRequest(
        method="POST",
        schema="https",
        host="host.example",
        resource_path=f"/v1/{quote(segment, safe='')}",
        query_params=list(query),
        header_params={"X-Sdk-Date": "20260115T083000Z", "X-Extra": segment.strip() or "x"},
        body=body,
    )
    sdk.BasicCredentials("AK", "SK").sign_request(request)
    raw = [(n.encode(), v.encode("latin-1")) for n, v in request.header_params.items()]
    sent = SignedRequest("POST", request.uri, lower_headers(raw), body)
    assert is_genuine(sent, claim_of(sent), "SK", SIGNED_AT)
