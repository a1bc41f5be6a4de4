from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import bcrypt
import pytest
from aiohttp import ClientSession, TCPConnector, encode_basic_auth, web

from auditd.web.gate import ANSWER_SECONDS
from auditd.web.guard import CALLER
from auditd.web.health import Readiness, add_headers, make_health
from auditd.web.listener import Listener, open_listener
from auditd.web.security import Rate, Security
from tests.unit.web.secured import ADDRESS, Issuer, fetch

ISSUER = Issuer()
USERS = {"alice": bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()}


LARGE_BYTES = 50_000_000


def log_in(name: str, password: str) -> dict[str, str]:
    return {"Authorization": encode_basic_auth(name, password)}


ALICE = log_in("alice", "right")
MALLORY = log_in("alice", "wrong")


def app() -> web.Application:
    async def caller(request: web.Request) -> web.Response:
        return web.Response(text=request.get(CALLER, "nobody"))

    async def own(_request: web.Request) -> web.Response:
        return web.Response(headers={"Content-Security-Policy": "own", "Cache-Control": "own"})

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * LARGE_BYTES)

    made = web.Application()
    made.on_response_prepare.append(add_headers)
    made.add_routes([*make_health(Readiness), web.get("/caller", caller), web.get("/own", own)])
    made.add_routes([web.get("/large", large)])
    return made


@asynccontextmanager
async def serving(security: Security) -> AsyncIterator[tuple[Listener, ClientSession]]:
    async with (
        open_listener(app(), [ADDRESS], security) as listener,
        ClientSession(f"http://{listener.addresses[0]}") as client,
    ):
        yield listener, client


async def headers_of(client: ClientSession, path: str, **more: Any) -> Mapping[str, str]:
    async with client.get(path, **more) as response:
        return response.headers.copy()


async def status_of(client: ClientSession, path: str = "/-/healthy", **more: Any) -> int:
    async with client.get(path, **more) as response:
        return response.status


@pytest.mark.parametrize("path", ["/-/healthy", "/caller", "/nothing-here"])
async def test_with_users_nothing_is_shown_to_others(path: str) -> None:
    async with serving(Security(users=USERS)) as (_, client):
        for auth in (None, MALLORY, log_in("bob", "right")):
            async with client.get(path, headers=auth) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
                assert await response.text() == "Unauthorized\n"
        assert await status_of(client, path, headers=ALICE) in {200, 404}


async def test_two_log_ins_at_once_are_none() -> None:
    headers = [*ALICE.items(), *MALLORY.items()]
    async with serving(Security(users=USERS)) as (_, client):
        assert await status_of(client, headers=headers) == 401


async def test_pages_are_told_who_asks() -> None:
    async with serving(Security(users=USERS)) as (listener, client):
        async with client.get("/caller", headers=ALICE) as response:
            assert await response.text() == "alice"
        listener.reload(Security())
        async with client.get("/caller", headers=ALICE) as response:
            assert await response.text() == "nobody"


async def test_pages_are_told_whose_certificate_it_is() -> None:
    certificate = ISSUER.authority.issue_cert("ops@acme.example", common_name="ops")
    security = await ISSUER.demanding(policy=ssl.CERT_OPTIONAL)
    for given, caller in ((certificate, "ops"), (None, "nobody")):
        async with (
            open_listener(app(), [ADDRESS], security) as listener,
            ClientSession(connector=TCPConnector(ssl=ISSUER.client(given))) as client,
            client.get(f"https://{listener.addresses[0]}/caller") as response,
        ):
            assert await response.text() == caller


async def test_too_many_failures_are_refused_until_later() -> None:
    async with serving(Security(users=USERS)) as (_, client):
        statuses = [await status_of(client, headers=MALLORY) for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        async with client.get("/-/healthy", headers=MALLORY) as response:
            assert int(response.headers["Retry-After"]) > 0


async def test_the_rate_counts_all_requests_and_starts_anew_only_when_it_changes() -> None:
    limited = Security(rate=Rate(60.0, 3))
    async with serving(limited) as (listener, client):
        assert [await status_of(client) for _ in range(4)] == [200, 200, 200, 429]
        assert await status_of(client, "/nothing-here") == 429
        listener.reload(replace(limited, headers={"X-XSS-Protection": "1"}))
        assert await status_of(client) == 429
        listener.reload(Security(rate=Rate(60.0, 1)))
        assert [await status_of(client) for _ in range(2)] == [200, 429]
        listener.reload(Security())
        assert await status_of(client) == 200


async def test_configured_headers_go_before_ours_and_a_pages_own_before_both() -> None:
    configured = {"Content-Security-Policy": "theirs", "X-Frame-Options": "deny"}
    async with serving(Security(headers=configured)) as (listener, client):
        for path in ("/-/healthy", "/nothing-here"):
            headers = await headers_of(client, path)
            assert headers["Content-Security-Policy"] == "theirs"
            assert headers["X-Frame-Options"] == "deny"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Server"] == "servicestage-auditd"
        headers = await headers_of(client, "/own")
        assert (headers["Content-Security-Policy"], headers["Cache-Control"]) == ("own", "own")
        listener.reload(Security())
        headers = await headers_of(client, "/-/healthy")
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "X-Frame-Options" not in headers


async def test_a_refused_request_carries_the_headers_too() -> None:
    security = Security(users=USERS, headers={"X-Frame-Options": "deny"})
    async with serving(security) as (_, client):
        headers = await headers_of(client, "/")
        assert headers["X-Frame-Options"] == "deny"
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_what_is_no_request_is_answered_without_the_librarys_name(caplog: Any) -> None:
    async with serving(Security()) as (listener, _):
        (address,) = listener.addresses
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET / HTTP/1.1\r\nsecret value\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert b"\r\nServer: servicestage-auditd\r\n" in answer
    assert b"aiohttp" not in answer
    assert b"secret" not in answer
    assert not [record for record in caplog.records if record.levelname != "DEBUG"]


async def test_stricter_rules_hold_for_connections_that_are_there() -> None:
    strict = await ISSUER.demanding("scraper.example")
    async with serving(Security()) as (listener, client):
        assert await status_of(client) == 200
        listener.reload(strict)
        async with client.get("/-/healthy") as response:
            assert response.status == 403
            assert response.headers["Connection"] == "close"
    certificate = ISSUER.authority.issue_cert("scraper.example")
    async with open_listener(app(), [ADDRESS], strict) as listener:
        connector = TCPConnector(ssl=ISSUER.client(certificate))
        async with ClientSession(connector=connector) as client:
            page = f"https://{listener.addresses[0]}/-/healthy"
            assert await status_of(client, page) == 200
            listener.reload(replace(strict, allowed_names=frozenset({"other.example"})))
            assert await status_of(client, page) == 403


async def test_after_a_change_of_encryption_a_connection_ends_with_its_next_answer() -> None:
    first, second = [Security(context=await ISSUER.context()) for _ in range(2)]
    async with (
        open_listener(app(), [ADDRESS], first) as listener,
        ClientSession(connector=TCPConnector(ssl=ISSUER.client())) as client,
    ):
        page = f"https://{listener.addresses[0]}/-/healthy"
        assert "Connection" not in await headers_of(client, page)
        listener.reload(second)
        assert (await headers_of(client, page))["Connection"] == "close"
        assert "Connection" not in await headers_of(client, page)


@pytest.mark.looptime
async def test_who_does_not_read_is_hung_up_on() -> None:
    loop = asyncio.get_running_loop()
    async with serving(Security()) as (listener, _):
        (address,) = listener.addresses
        reader, writer = await asyncio.open_connection(address.host, address.port, limit=1024)
        started_at = loop.time()
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()
        await asyncio.sleep(ANSWER_SECONDS + 1)
        received = 0
        while piece := await reader.read(1_000_000):
            received += len(piece)
        assert received < LARGE_BYTES
        assert loop.time() - started_at == pytest.approx(ANSWER_SECONDS + 1, abs=1)
        writer.close()


async def test_health_is_answered_while_wrong_log_ins_pour_in() -> None:
    dear = {"alice": bcrypt.hashpw(b"right", bcrypt.gensalt(10)).decode()}
    async with serving(Security(users=dear)) as (listener, client):
        assert await status_of(client, headers=ALICE) == 200
        address = listener.addresses[0]
        pouring = [
            asyncio.create_task(fetch(address, headers=log_in("alice", str(number))))
            for number in range(50)
        ]
        assert [await status_of(client, headers=ALICE) for _ in range(50)] == [200] * 50
        statuses = await asyncio.gather(*pouring)
        assert statuses.count(401) == 10
        assert statuses.count(429) == 40
