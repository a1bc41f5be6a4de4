"""What no caller may do, and that nothing a caller sends breaks the API."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st

from auditd.web.address import Address
from auditd.web.api_input import BODY_SECONDS
from auditd.web.listener import listen
from tests.unit.web.fakes import Office, alert_of, silence_of

FINGERPRINT = alert_of("gh-main").fingerprint
CHANGES = [
    ("POST", "/api/v1/silences"),
    ("DELETE", "/api/v1/silences/s-1"),
    ("POST", f"/api/v1/alerts/{FINGERPRINT}/acknowledge"),
    ("POST", "/api/v1/deliveries/d-1/replay"),
    ("POST", "/api/v1/hooks/ops/enable"),
]
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X-Forwarded-For": "127.0.0.1"}, "proxy"),
        ({"Host": "evil.example"}, "Host"),
        ({"Origin": "https://evil.example"}, "another site"),
        ({"Sec-Fetch-Site": "cross-site"}, "another site"),
        ({"Content-Type": "text/plain"}, "application/json"),
    ],
)
async def test_a_change_is_refused_before_its_body_is_read(
    client: ClientSession, office: Office, change: tuple[str, str], headers: Any, message: str
) -> None:
    async with client.request(*change, data=b"{", headers=JSON | headers) as response:
        assert response.status == 403
        document = await response.json()
    assert (document["status"], document["errorType"]) == ("error", "forbidden")
    assert message in document["error"]
    assert office.asked == []


async def test_the_host_of_the_external_url_may_be_named(daemon: Any) -> None:
    app = daemon.app("http://auditd.acme.example/watch")
    path = f"/watch/api/v1/alerts/{FINGERPRINT}/acknowledge"
    daemon.office.stock = [(alert_of("gh-main"), "")]
    async with (
        listen(app, [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}", headers={"Host": "auditd.acme.example"}) as client,
        client.post(path, json={"author": "ann"}) as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not a JSON object"),
        (b"{", "not a JSON object"),
        (b'{"\xff": 1}', "not a JSON object"),
        (b"<html>", "not a JSON object"),
        (b"[]", "Expected `object`"),
        (b'{"x": ' + b"[" * 60_000, "x"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(
    client: ClientSession, method: str, path: str, body: bytes, message: str
) -> None:
    async with client.request(method, path, data=body, headers=JSON) as response:
        assert response.status == 400
        document = await response.json()
    assert document["errorType"] == "bad_data"
    assert message in document["error"]


async def test_a_body_of_64_kib_is_read_and_a_larger_one_is_not(client: ClientSession) -> None:
    for size, status in ((64 * 1024, 400), (64 * 1024 + 1, 413)):
        async with client.post("/api/v1/silences", data=b" " * size, headers=JSON) as response:
            assert response.status == status
            document = await response.json()
    assert document["errorType"] == "too_large"


async def test_a_body_that_unpacks_to_more_than_64_kib_is_refused(client: ClientSession) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 50_000_000)
    async with client.post("/api/v1/silences", data=bomb, headers=headers) as response:
        assert response.status == 413


async def test_a_body_that_does_not_unpack_is_refused(client: ClientSession) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    async with client.post("/api/v1/silences", data=b"no gzip", headers=headers) as response:
        assert response.status == 400


@pytest.mark.looptime
async def test_a_body_that_does_not_come_is_not_waited_for(daemon: Any) -> None:
    loop = asyncio.get_running_loop()
    async with listen(daemon.app(), [Address("127.0.0.1", 0)]) as (bound,):
        reader, writer = await asyncio.open_connection(bound.host, bound.port)
        writer.write(
            b"POST /api/v1/silences HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        started_at = loop.time()
        assert b" 408 " in await reader.readline()
        assert loop.time() - started_at == pytest.approx(BODY_SECONDS, abs=1.5)
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def _opened(daemon: Any) -> AsyncIterator[ClientSession]:
    async with (
        listen(daemon.app(), [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}") as client,
    ):
        yield client


_WORDS = st.text(max_size=20) | st.sampled_from(["a=b", "a=~b[[", "2026-07-01T12:00:00Z"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=6,
)
_NAMES = ("matchers", "starts_at", "ends_at", "author", "comment")
_OBJECTS = st.fixed_dictionaries(
    {},
    optional={name: _VALUES | st.lists(_WORDS, max_size=3) for name in _NAMES},
)
_LISTS = ["alerts", "deliveries", "silences", "projects", "findings", "authorizations"]
_BODIES = st.binary(max_size=200) | _OBJECTS.map(lambda value: json.dumps(value).encode())


def test_no_body_breaks_the_api(daemon: Any) -> None:
    daemon.office.stock = [(alert_of("gh-main"), "")]
    daemon.office.kept = [silence_of("s-1")]
    with asyncio.Runner() as runner:
        opened = _opened(daemon)
        client = runner.run(opened.__aenter__())

        @given(change=st.sampled_from(CHANGES), body=_BODIES)
        def check(change: tuple[str, str], body: bytes) -> None:
            assert runner.run(_ask(client, *change, data=body, headers=JSON)) in {200, 400, 404}

        check()
        runner.run(opened.__aexit__(None, None, None))


def test_no_query_breaks_the_api(daemon: Any) -> None:
    daemon.office.stock = [(alert_of("gh-main"), "")]
    known = ["state", "project", "filter", "hook", "limit", "cursor", "q", "since", "severity"]
    names = st.sampled_from(known) | _WORDS
    queries = st.lists(st.tuples(names, _WORDS), max_size=4)
    with asyncio.Runner() as runner:
        opened = _opened(daemon)
        client = runner.run(opened.__aenter__())

        @given(path=st.sampled_from(_LISTS), query=queries)
        def check(path: str, query: list[tuple[str, str]]) -> None:
            status = runner.run(_ask(client, "GET", f"/api/v1/{path}", params=query))
            assert status in {200, 400}

        check()
        runner.run(opened.__aexit__(None, None, None))


async def _ask(client: ClientSession, method: str, path: str, **content: Any) -> int:
    async with client.request(method, path, **content) as response:
        assert (await response.json())["status"] in {"success", "error"}
        return response.status
