from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import pytest

from auditd.simulator.loading import load_scenario, parse_scenario
from auditd.simulator.server import Bound, Simulator

PLATFORM = ("AKPLATFORM", "sk-platform")
HANGING = """
credentials: [{name: k, type: keys, access_key: a, secret_key: s}]
faults: [{effect: {type: delay, delay: 1h}}]
"""


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("PATCH", "/v1/0123456789abcdef0123456789abcdef/git/auths"),
        ("GET", "/v3/auth/tokens"),
        ("GET", "/_simulator/revoke"),
        ("HEAD", "/v3/projects"),
    ],
)
async def test_all_else_is_an_api_that_does_not_exist(
    client: Any, method: str, target: str
) -> None:
    reply = await client.send(method, target)
    assert reply.status == 404
    assert method == "HEAD" or reply.json()["error_code"] == "APIGW.0101"


async def test_date_tells_the_simulators_time(client: Any) -> None:
    client.clock.advance(3600)
    for target in ("/nowhere", "/_simulator/stats"):
        reply = await client.send("GET", target)
        assert reply.headers["Date"] == "Thu, 15 Jan 2026 09:30:00 GMT"


async def test_every_answer_has_its_own_request_id(client: Any) -> None:
    ids = {(await client.list_authorizations()).headers["X-Request-Id"] for _ in range(3)}
    assert {len(request_id) for request_id in ids} == {32}
    assert len(ids) == 3


async def test_a_body_of_more_than_twelve_mebibytes_is_too_large(client: Any) -> None:
    body = io.BytesIO(bytes(12 * 1024 * 1024 + 1))
    async with client.session.post(f"{client.url}/v3/auth/tokens", data=body) as response:
        assert (response.status, (await response.json())["error_code"]) == (413, "APIGW.0201")


async def test_time_begins_where_it_is_said_to(clock: Any) -> None:
    start = clock.now()
    clock.advance(6)
    simulator = Simulator(load_scenario(), now=clock.now, start=start)
    async with simulator.serve() as bound, aiohttp.ClientSession(max_field_size=65536) as session:
        user = {"name": "auditor", "password": "demo-not-a-secret", "domain": {"name": "acme"}}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
        project = {"name": "ap-southeast-1_partners"}
        login = {"auth": auth | {"scope": {"project": project}}}
        async with session.post(f"{bound.url}/v3/auth/tokens", json=login) as issued:
            token = issued.headers["X-Subject-Token"]
        clock.advance(11)
        target = f"{bound.url}/v1/0a11ce00000000000000000000000005/git/auths"
        async with session.get(target, headers={"X-Auth-Token": token}) as listed:
            assert listed.status == 500


async def test_the_port_is_free_again_afterwards(clock: Any) -> None:
    simulator = Simulator(load_scenario(), now=clock.now)
    async with simulator.serve() as first:
        with pytest.raises(OSError, match="in use"):
            async with simulator.serve(port=first.port):
                pytest.fail("two listen on one port")
    async with simulator.serve(port=first.port) as second:
        assert second == first


async def test_an_answer_under_way_does_not_hold_up_the_end(clock: Any) -> None:
    struck = asyncio.Event()

    async def sleep(seconds: float) -> None:
        struck.set()
        await asyncio.Event().wait()

    simulator = Simulator(parse_scenario(HANGING, "test"), now=clock.now, sleep=sleep)
    async with aiohttp.ClientSession() as session:
        async with simulator.serve() as bound:
            waiting = asyncio.ensure_future(session.get(f"{bound.url}/nowhere"))
            await struck.wait()
        with pytest.raises(aiohttp.ClientError):
            await waiting


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert Bound("::1", 80).url == "http://[::1]:80"
