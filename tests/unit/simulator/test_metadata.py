from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

TOKEN = "/meta-data/latest/api/token"
KEYS = "/openstack/latest/securitykey"
POD = "/pod-identity/credentials"
TTL = "X-Metadata-Token-Ttl-Seconds"
WITHOUT = "credentials: [{name: k, type: keys, access_key: a, secret_key: s}]"


async def machine_keys(client: Any, token: str | None = None) -> Any:
    if token is None:
        token = (await client.send("PUT", TOKEN, headers={TTL: "21600"})).body.decode()
    return await client.send("GET", KEYS, headers={"X-Metadata-Token": token})


def triple(reply: Any) -> tuple[str, str, str]:
    keys = reply.json()["credential"]
    return keys["access"], keys["secret"], keys["securitytoken"]


async def test_a_machine_gets_keys_for_an_hour_with_a_token(client: Any) -> None:
    reply = await machine_keys(client)
    assert reply.json()["credential"]["expires_at"] == "2026-01-15T09:30:00.000000Z"
    assert (await client.list_authorizations(keys=triple(reply))).status == 200


async def test_the_same_keys_are_shown_until_ten_minutes_before_their_end(client: Any) -> None:
    first = triple(await machine_keys(client))
    client.clock.advance(2999)
    assert triple(await machine_keys(client)) == first
    client.clock.advance(1)
    second = triple(await machine_keys(client))
    assert second != first
    for keys in (first, second):
        assert (await client.list_authorizations(keys=keys)).status == 200
    client.clock.advance(600)
    assert (await client.list_authorizations(keys=first)).status == 401
    assert (await client.list_authorizations(keys=second)).status == 200


@pytest.mark.parametrize("token", ["", "other"])
async def test_version_two_wants_a_token(client: Any, token: str) -> None:
    reply = await machine_keys(client, token)
    assert reply.status == 401
    assert b"Agency" not in reply.body


async def test_a_metadata_token_ends(client: Any) -> None:
    token = (await client.send("PUT", TOKEN, headers={TTL: "60"})).body.decode()
    client.clock.advance(59)
    assert (await machine_keys(client, token)).status == 200
    client.clock.advance(1)
    assert (await machine_keys(client, token)).status == 401


@pytest.mark.parametrize("life", ["", "0", "21601", "x"])
async def test_a_metadata_token_lives_for_one_second_to_six_hours(client: Any, life: str) -> None:
    assert (await client.send("PUT", TOKEN, headers={TTL: life})).status == 400


async def test_version_one_has_no_tokens(simulate: Callable[..., Awaitable[Any]]) -> None:
    base = "credentials: [{name: w, type: agency, metadata: v1}]"
    client = await simulate(base=base)
    assert (await client.send("PUT", TOKEN, headers={TTL: "60"})).status == 404
    assert (await client.send("GET", KEYS)).status == 200


async def test_a_machine_without_agency_is_told_so(
    simulate: Callable[..., Awaitable[Any]],
) -> None:
    reply = await machine_keys(await simulate(base=WITHOUT))
    assert (reply.status, reply.body) == (401, b"Please configure Cloud Service Agency first")


async def test_a_pod_shows_its_token(client: Any) -> None:
    reply = await client.send("POST", POD, headers={"Authorization": "pod"}, body={})
    keys = reply.json()["credential"]
    assert keys["expiration"] == "2026-01-15T09:30:00.000000Z"
    pod = (keys["accessKeyId"], keys["secretAccessKey"], keys["securityToken"])
    assert (await client.list_authorizations(keys=pod)).status == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "other"}])
async def test_another_pod_is_refused(client: Any, headers: dict[str, str]) -> None:
    assert (await client.send("POST", POD, headers=headers, body={})).status == 401
