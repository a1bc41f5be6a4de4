"""Every answer that is recorded in data/responses.json has the outcome that is expected of it.

Its vocabulary is wider than the closed set of failure reasons:

- `conflict` is `bad_request`: only calls that create something can meet it.
- `malformed` for a redirect is `redirect`, a reason of its own.
- `probe_...` are `bad_request` for a client; what they say of the stored credential is the verdict.
- `retryable` is not looked at: a failed poll is always tried again with its next slot.
- the warning `no_namespaces` is not kept: without namespaces the credential works all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditd.audit.authorization import Status, known_time
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.errors import RefusedError, ThrottledError
from auditd.servicestage.faults import classify
from auditd.servicestage.iam_answers import parse_projects, parse_token
from auditd.servicestage.listing import parse_listing
from auditd.servicestage.message import Answer, Request
from auditd.servicestage.namespaces import read_verdict
from auditd.servicestage.regions import servicestage_endpoint
from auditd.servicestage.transport import Transport
from tests.unit.servicestage.conftest import Serve

RESPONSES: Mapping[str, Mapping[str, Any]] = {
    response["id"]: response
    for response in json.loads(
        (Path(__file__).parent / "data" / "responses.json").read_text(encoding="utf-8")
    )["responses"]
}
OF_CREDENTIALS = {
    "iam-201-securitytoken",
    "imds-200-securitykey",
    "pod-identity-200",
}
"""Tested with the credentials that fetch them."""

LISTS = {name for name in RESPONSES if name.startswith("list-")}
PROBES = {name for name in RESPONSES if name.startswith("probe-")}
TOKENS = {"iam-201-token"}
PROJECTS = {"iam-200-projects"}
FAULTS = {
    name for name in RESPONSES if name.startswith(("err-", "gw-", "redirect-", "iam-4", "probe-4"))
}
REASONS = {"conflict": "bad_request"}


def test_every_recorded_answer_is_tested_somewhere() -> None:
    here = LISTS | PROBES | TOKENS | PROJECTS | FAULTS
    assert here | OF_CREDENTIALS == set(RESPONSES)
    assert not here & OF_CREDENTIALS


@pytest.fixture
async def answer(name: str, serve: Serve, transport: Transport) -> Answer:
    """The recorded answer after it went over a real wire."""
    recorded = RESPONSES[name]
    body = recorded["body"].encode()
    lines = [f"HTTP/1.1 {recorded['status']} Recorded", f"Content-Length: {len(body)}"]
    lines += [f"{header}: {value}" for header, value in recorded["headers"].items()]

    async def behave(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    request = Request("GET", f"http://127.0.0.1:{await serve(behave)}", "/v1")
    return await transport.send(request, timeout_seconds=2)


@pytest.mark.parametrize("name", sorted(LISTS))
async def test_a_list_is_read_as_expected(name: str, answer: Answer) -> None:
    expected = RESPONSES[name]["expect"]
    assert classify(answer, "h") is None
    if expected["kind"] == "error":
        with pytest.raises(PollError) as caught:
            parse_listing(answer.body)
        assert caught.value.reason == expected["error_class"]
        return

    listing = parse_listing(answer.body)

    assert len(listing.authorizations) == expected["authorizations"]
    assert listing.warnings == ((expected["warn"],) if "warn" in expected else ())
    for status, key in (
        (Status.OVERDUE, "overdue"),
        (Status.UNAUTHENTICATED, "unauthenticated"),
        (Status.UNKNOWN, "unknown_status"),
    ):
        named = [entry.name for entry in listing.authorizations if entry.status is status]
        assert named == expected.get(key, [])
    ageless = [entry.name for entry in listing.authorizations if not known_time(entry.updated_at)]
    assert ageless == expected.get("unknown_age", [])
    for name_, number in expected.get("status", {}).items():
        assert [e.raw_status for e in listing.authorizations if e.name == name_] == [str(number)]


@pytest.mark.parametrize("name", sorted(FAULTS))
async def test_a_fault_has_the_expected_reason(name: str, answer: Answer) -> None:
    expected = RESPONSES[name]["expect"]
    error = classify(answer, "h")
    assert error is not None

    kind = expected["error_class"]
    if name.startswith("redirect-"):
        assert error.reason is FailureReason.REDIRECT
    elif kind.startswith("probe_"):
        assert error.reason is FailureReason.BAD_REQUEST
    else:
        assert error.reason == REASONS.get(kind, kind)
    assert isinstance(error, RefusedError) is (kind == "auth")
    if isinstance(error, ThrottledError):
        seconds = expected.get("window_s", expected.get("retry_after_s"))
        assert error.retry_after_seconds == seconds
    assert "AKFAKE" not in str(error)
    assert "x-sdk-date" not in str(error)


@pytest.mark.parametrize("name", sorted(PROBES))
async def test_a_probe_has_the_expected_verdict(name: str, answer: Answer) -> None:
    assert read_verdict(answer) == RESPONSES[name]["expect"]["probe"]


@pytest.mark.parametrize("name", sorted(TOKENS))
async def test_a_token_is_read_from_header_and_body(name: str, answer: Answer) -> None:
    issued = parse_token(answer)
    body = json.loads(RESPONSES[name]["body"])["token"]
    assert issued.token == RESPONSES[name]["headers"]["X-Subject-Token"]
    assert f"{issued.expires_at:%Y-%m-%dT%H:%M:%S.%fZ}" == body["expires_at"]


@pytest.mark.parametrize("name", sorted(PROJECTS))
def test_the_usable_projects_are_those_enabled_in_a_known_region(name: str, answer: Answer) -> None:
    page = parse_projects(answer.body)
    usable = [
        project.name
        for project in page.projects
        if project.enabled and servicestage_endpoint(project.name.split("_", 1)[0])
    ]
    assert usable == RESPONSES[name]["expect"]["usable"]
    assert page.next_url is None
