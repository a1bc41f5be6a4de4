"""Every fault, as it is seen on the wire."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

PLATFORM = ("AKPLATFORM", "sk-platform")
TARGET = "/v1/0123456789abcdef0123456789abcdef/git/auths"
Start = Callable[[str], Awaitable[Any]]


@pytest.fixture
def strike(simulate: Callable[..., Awaitable[Any]]) -> Start:
    """A simulator in which this effect meets every list."""

    async def start(effect: str) -> Any:
        rule = f"{{operation: list_authorizations, effect: {{{effect}}}}}"
        return await simulate(f"faults: [{rule}]")

    return start


async def raw_answer(client: Any, *, until: int | None = None) -> tuple[bytes, bytes]:
    """Head and body as bytes, up to the end of the connection or to so many bytes."""
    headers = {"Connection": "close"} | client.sign("GET", TARGET, PLATFORM)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    address = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {TARGET} HTTP/1.1\r\n{lines}\r\n".encode())
        received = await (reader.read() if until is None else reader.readexactly(until))
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


async def test_a_status_without_body_is_the_gateways(strike: Start) -> None:
    client = await strike("type: status, status: 502")
    reply = await client.list_authorizations()
    assert (reply.status, reply.json()["error_code"]) == (502, "APIGW.0201")
    assert reply.json()["error_msg"] == "Backend unavailable."


async def test_a_status_may_have_any_body_and_headers(strike: Start) -> None:
    client = await strike("type: status, status: 500, body: oops, headers: {X-Fault: one}")
    reply = await client.list_authorizations()
    assert (reply.status, reply.body, reply.headers["X-Fault"]) == (500, b"oops", "one")


async def test_a_status_that_the_gateway_has_no_text_for_is_an_error_all_the_same(
    strike: Start,
) -> None:
    client = await strike("type: status, status: 418")
    assert (await client.list_authorizations()).status == 418


async def test_throttling_is_silent_about_when_to_come_again(strike: Start) -> None:
    reply = await (await strike("type: throttle")).list_authorizations()
    assert (reply.status, reply.json()["error_code"]) == (429, "APIGW.0308")
    assert reply.json()["error_msg"] == "The throttling threshold has been reached."
    assert "Retry-After" not in reply.headers


async def test_throttling_may_hint_in_a_header_and_in_the_text(strike: Start) -> None:
    effect = "type: throttle, retry_after: 7s, limit: 'limit:200,time:5 minute'"
    reply = await (await strike(effect)).list_authorizations()
    assert reply.headers["Retry-After"] == "7"
    expected = "reached: policy user over ratelimit,limit:200,time:5 minute"
    assert reply.json()["error_msg"].endswith(expected)


async def test_html_comes_with_200(strike: Start) -> None:
    reply = await (await strike("type: html")).list_authorizations()
    assert (reply.status, reply.body) == (200, b"<html><body>login</body></html>")
    assert reply.headers["Content-Type"] == "text/html"


async def test_a_redirection_names_its_target(strike: Start) -> None:
    reply = await (await strike("type: redirect")).list_authorizations()
    assert (reply.status, reply.headers["Location"]) == (302, "https://elsewhere.example/")


async def test_a_delay_precedes_the_sound_answer(strike: Start) -> None:
    client = await strike("type: delay, delay: 3s")
    assert (await client.list_authorizations()).json()["count"] == 2
    assert client.waits == [3.0]


async def test_a_truncated_body_is_sound_http(strike: Start) -> None:
    head, body = await raw_answer(await strike("type: truncate, keep: 0.25"))
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.startswith(b'{"authorizations": [{')
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def test_a_body_may_end_before_its_promised_length(strike: Start) -> None:
    head, body = await raw_answer(await strike("type: truncate, promise_all: true"))
    promised = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert 0 < len(body) < int(promised.split()[1])


async def test_a_drip_is_the_whole_body_in_pieces(strike: Start) -> None:
    client = await strike("type: drip, size: 100, pause: 2s")
    reply = await client.list_authorizations()
    assert reply.json()["count"] == 2
    assert client.waits == [2.0] * -(-len(reply.body) // 100)


async def test_a_reset_is_no_answer_at_all(strike: Start) -> None:
    client = await strike("type: reset")
    with pytest.raises(ConnectionResetError):
        await raw_answer(client)
    with pytest.raises(aiohttp.ClientError):
        await client.list_authorizations()


async def test_a_gzip_bomb_is_a_thousand_times_what_it_seems(strike: Start) -> None:
    client = await strike("type: gzip_bomb, mebibytes: 3")
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        headers = client.sign("GET", TARGET, PLATFORM)
        async with session.get(client.url + TARGET, headers=headers) as response:
            packed = await response.read()
            assert response.headers["Content-Encoding"] == "gzip"
    assert len(packed) < 20_000
    assert zlib.decompress(packed, wbits=31) == b" " * 3 * 1024 * 1024


async def test_an_endless_body_goes_on(strike: Start) -> None:
    client = await strike("type: endless")
    _, body = await raw_answer(client, until=2_000_000)
    assert b'{"authorizations": [' in body[:30]
    assert body.count(b" ") > 1_900_000


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("missing_tag", {"tag": ...}),
        ("missing_name", {"name": ...}),
        ("mixed_case", {"repo_type": "GITHUB", "token_type": "OAUTH"}),
        ("status_text", {"status": "0"}),
        ("status_word", {"status": "overdue"}),
        ("status_null", {"status": None}),
        ("status_unknown", {"status": 7}),
        ("null_times", {"create_time": None, "update_time": None}),
        ("zero_times", {"create_time": 0, "update_time": 0}),
        ("times_in_seconds", {"update_time": 1768465800 - 120 * 86400}),
    ],
)
async def test_entries_may_be_odd(strike: Start, change: str, expected: dict[str, Any]) -> None:
    client = await strike(f"type: listing, change: {change}")
    entry = (await client.list_authorizations()).json()["authorizations"][0]
    assert {key: entry.get(key, ...) for key in expected} == expected


@pytest.mark.parametrize(
    ("change", "listed", "count"),
    [
        ("missing_list", ..., 2),
        ("null_list", None, 2),
        ("missing_count", ["gh-main", "gl-private"], ...),
        ("count_mismatch", ["gh-main", "gl-private"], 9),
        ("duplicate", ["gh-main", "gh-main", "gl-private"], 3),
    ],
)
async def test_lists_may_be_odd(strike: Start, change: str, listed: Any, count: Any) -> None:
    client = await strike(f"type: listing, change: {change}")
    answer = (await client.list_authorizations()).json()
    entries = answer.get("authorizations", ...)
    names = [entry["name"] for entry in entries] if isinstance(entries, list) else entries
    assert (names, answer.get("count", ...)) == (listed, count)


async def test_what_is_no_list_stays_as_it_is(simulate: Start) -> None:
    client = await simulate("faults: [{effect: {type: listing, change: missing_list}}]")
    redirect = await client.send("GET", f"{TARGET}/github/redirect", keys=PLATFORM)
    assert "url" in redirect.json()


async def test_faults_strike_after_authentication(strike: Start) -> None:
    client = await strike("type: status, status: 500")
    assert (await client.list_authorizations(keys=("AKPLATFORM", "wrong"))).status == 401


async def test_logins_can_fail_too(simulate: Start) -> None:
    fault = "{operation: create_token, count: 1, effect: {type: status, status: 503}}"
    client = await simulate(f"faults: [{fault}]")
    assert [(await client.log_in()).status for _ in range(2)] == [503, 201]


async def test_a_window_follows_the_clock(simulate: Start) -> None:
    client = await simulate(
        "faults: [{project: cn-north-4_payments, when: 10s, for: 5s, effect: {type: throttle}}]"
    )
    seen = []
    for _ in range(4):
        seen.append((await client.list_authorizations()).status)
        client.clock.advance(5)
    assert seen == [200, 200, 429, 200]
