from __future__ import annotations

import pytest
from aiohttp import ClientSession

from auditd.web.office import UnavailableError
from tests.unit.web.asking import API, error
from tests.unit.web.fleet_fakes import (
    FleetOffice,
)

pytestmark = pytest.mark.usefixtures("known")


async def test_a_history_that_cannot_be_read_is_said(
    client: ClientSession, fleet: FleetOffice
) -> None:
    fleet.fault = UnavailableError("the state is damaged")
    status, type_, message = await error(client, "/projects/payments/history")
    assert (status, type_, message) == (503, "unavailable", "the state is damaged")


@pytest.mark.parametrize(
    "path",
    [
        "/projects/nobody",
        "/projects/%ED%A0%80",
        "/projects/nobody/authorizations/gh-main",
        "/projects/payments/authorizations/nothing",
        "/projects/prod%2Feu-west-101/authorizations/gh-main",
        "/projects/payments/authorizations/nothing/explanation",
        "/projects/",
        "/projects/payments/",
        "/nothing",
        "/",
        "",
    ],
)
async def test_what_is_not_there_is_not_found_in_the_envelope(
    client: ClientSession, path: str
) -> None:
    status, type_, message = await error(client, path)
    assert (status, type_) == (404, "not_found")
    assert message.startswith(("there is no", "project "))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("cursor=!", "cursor: must be the `next`"),
        ("cursor=WzFd", "cursor: must be the `next`"),
        ("cursor=eyJhIjoxfQ", "cursor: must be the `next`"),
        ("limit=1001", "limit: Expected `int` <= 1000"),
        ("status=fine", "status[0]: Invalid enum value 'fine'"),
        ("filter=project=~(a*)*", "filter[0]: this regular expression may take for ever"),
        ("q=%00", "q: has characters that cannot be printed"),
    ],
)
async def test_a_bad_query_is_named(client: ClientSession, query: str, message: str) -> None:
    status, type_, said = await error(client, f"/findings?{query}")
    assert (status, type_) == (400, "bad_data")
    assert said.startswith(message)


@pytest.mark.parametrize(
    "cursor",
    [
        "WyJhIiwiYiJd",  # of another list
        "WyJhIl0",
        "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ",  # more than a database can hold
    ],
)
async def test_a_cursor_of_another_list_is_no_place_in_a_history(
    client: ClientSession, cursor: str
) -> None:
    status, type_, _ = await error(client, f"/projects/payments/history?cursor={cursor}")
    assert (status, type_) == (400, "bad_data")


@pytest.mark.parametrize("path", ["/projects", "/authorizations", "/findings"])
async def test_others_may_not_filter_by_regular_expressions(
    client: ClientSession, path: str
) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1"}
    for query, status in (("project=a", 200), ("project=~a", 403)):
        async with client.get(f"{API}{path}?filter={query}", headers=headers) as response:
            assert response.status == status


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/projects", "GET, HEAD"),
        ("OPTIONS", "/silences", "GET, HEAD, POST"),
        ("PUT", "/silences/s-1", "DELETE"),
        ("DELETE", "/projects/payments", "GET, HEAD"),
        ("TRACE", "/status", "GET, HEAD"),
    ],
)
async def test_other_methods_are_refused_in_the_envelope(
    client: ClientSession, method: str, path: str, allowed: str
) -> None:
    async with client.request(method, API + path) as response:
        assert (response.status, response.headers["Allow"]) == (405, allowed)
        assert await response.json() == {
            "status": "error",
            "errorType": "method_not_allowed",
            "error": f"this takes {allowed}",
        }


async def test_head_answers_like_get_without_a_body(client: ClientSession) -> None:
    for path in ("/status", "/projects/payments", "/nothing"):
        async with client.get(API + path) as got, client.head(API + path) as head:
            assert (head.status, head.content_length) == (got.status, got.content_length)
            assert await head.read() == b""


async def test_a_failure_inside_shows_nothing_of_it(
    client: ClientSession, fleet: FleetOffice, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.fault = RuntimeError("secret")
    status, type_, message = await error(client, "/projects/payments/history")
    assert (status, type_) == (500, "internal")
    assert "secret" not in message
    assert "GET /api/v1/projects/{project}/history failed" in caplog.text
