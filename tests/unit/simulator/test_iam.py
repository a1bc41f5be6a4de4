from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

PAYMENTS = "0123456789abcdef0123456789abcdef"
SCOPE = {"project": {"id": PAYMENTS}}
FEDERATION = "/v3.0/OS-AUTH/id-token/tokens"
KEYS = "/v3.0/OS-CREDENTIAL/securitytokens"


def keystone(reply: Any, status: int) -> str:
    error = reply.json()["error"]
    assert (reply.status, error["code"]) == (status, status)
    return str(error["message"])


@pytest.mark.parametrize("how", [{"id": PAYMENTS}, {"name": "cn-north-4_payments"}])
async def test_a_login_gives_a_token_for_the_project(client: Any, how: dict[str, str]) -> None:
    login = await client.log_in(project=how)
    assert login.status == 201
    assert len(login.headers["X-Subject-Token"]) == 9120
    token = login.json()["token"]
    assert token["issued_at"] == "2026-01-15T08:30:00.000000Z"
    assert token["expires_at"] == "2026-01-16T08:30:00.000000Z"
    assert token["project"] == {"id": PAYMENTS, "name": "cn-north-4_payments"}


async def test_the_domain_is_a_scope_too(client: Any) -> None:
    login = await client.log_in(domain={"name": "acme"})
    assert login.status == 201
    assert "project" not in login.json()["token"]


async def test_a_new_token_leaves_the_old_one_good(client: Any) -> None:
    tokens = [(await client.log_in(**SCOPE)).headers["X-Subject-Token"] for _ in range(2)]
    assert tokens[0] != tokens[1]
    for token in tokens:
        assert (await client.list_authorizations(token=token)).status == 200


async def test_life_and_length_of_tokens_are_the_scenarios(
    simulate: Callable[..., Awaitable[Any]],
) -> None:
    client = await simulate("tokens: {life: 90s, characters: 30000}")
    login = await client.log_in(**SCOPE)
    token = login.headers["X-Subject-Token"]
    assert len(token) == 30000
    assert login.json()["token"]["expires_at"] == "2026-01-15T08:31:30.000000Z"
    assert (await client.list_authorizations(token=token)).status == 200


async def test_a_wrong_password_is_unauthorized(client: Any) -> None:
    reply = await client.log_in("wrong")
    assert keystone(reply, 401) == "The username or password is wrong."
    assert list(reply.json()["error"]) == ["message", "code", "title"]


async def test_the_fifth_wrong_password_locks_the_user_for_fifteen_minutes(client: Any) -> None:
    for _ in range(5):
        assert "wrong" in keystone(await client.log_in("wrong"), 401)
    assert "locked" in keystone(await client.log_in(), 401)
    client.clock.advance(900)
    assert (await client.log_in()).status == 201


@pytest.mark.parametrize("name", ["cn-east-3_denied_not", "cn-east-3_ghost"])
async def test_a_project_that_is_not_the_users_gives_no_token(client: Any, name: str) -> None:
    keystone(await client.log_in(project={"name": name}), 401)


async def test_a_disabled_project_gives_no_token(client: Any) -> None:
    keystone(await client.log_in(project={"name": "cn-east-3_old"}), 403)


@pytest.mark.parametrize(
    "target", ["/v3/auth/tokens", FEDERATION, KEYS, "/v5/agencies/assume-with-oidc"]
)
async def test_a_body_of_another_shape_is_bad(client: Any, target: str) -> None:
    reply = await client.send("POST", target, body={"auth": {}})
    assert (reply.status, reply.json()["error_code"]) == (400, "IAM.0011")


async def test_an_id_token_becomes_a_token_and_that_becomes_keys(client: Any) -> None:
    federated = await client.send(
        "POST", FEDERATION, headers={"X-Idp-Id": "idp"}, body={"auth": {"id_token": {"id": "idt"}}}
    )
    assert federated.status == 201
    token = federated.headers["X-Subject-Token"]
    wanted = {"methods": ["token"], "token": {"id": token, "duration_seconds": 21600}}
    issued = await client.send("POST", KEYS, body={"auth": {"identity": wanted}})
    assert issued.status == 201
    keys = issued.json()["credential"]
    assert keys["expires_at"] == "2026-01-15T14:30:00.000000Z"
    triple = (keys["access"], keys["secret"], keys["securitytoken"])
    assert (await client.list_authorizations(keys=triple)).status == 200
    client.clock.advance(21600)
    assert (await client.list_authorizations(keys=triple)).status == 401


@pytest.mark.parametrize(("idp", "id_token"), [("idp", "other"), ("other", "idt")])
async def test_another_id_token_or_provider_is_refused(
    client: Any, idp: str, id_token: str
) -> None:
    body = {"auth": {"id_token": {"id": id_token}}}
    keystone(await client.send("POST", FEDERATION, headers={"X-Idp-Id": idp}, body=body), 401)


async def test_a_token_that_is_not_good_gives_no_keys(client: Any) -> None:
    wanted = {"methods": ["token"], "token": {"id": "MII"}}
    keystone(await client.send("POST", KEYS, body={"auth": {"identity": wanted}}), 401)


async def test_an_agency_is_assumed_with_an_id_token(client: Any) -> None:
    target = "/v5/agencies/assume-with-oidc"
    reply = await client.send("POST", target, body={"id_token": "idt", "duration_seconds": 3600})
    keys = reply.json()["credentials"]
    triple = (keys["access_key_id"], keys["secret_access_key"], keys["security_token"])
    assert (await client.list_authorizations(keys=triple)).status == 200
    keystone(await client.send("POST", target, body={"id_token": "other"}), 401)
