"""Who is let in, seen from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

PLATFORM = ("AKPLATFORM", "sk-platform")
WRONG = ("AKPLATFORM", "wrong")
PREFIX = "Incorrect IAM authentication information: "
LOCKED = PREFIX + "AK access failed to reach the limit,forbidden."
WEB, OLD, DENIED = (f"0123456789abcdef0123456789abcde{digit}" for digit in "123")


def message(reply: Any, status: int = 401, code: str = "APIGW.0301") -> str:
    body = reply.json()
    assert (reply.status, body["error_code"]) == (status, code)
    assert list(body) == ["error_msg", "error_code", "request_id"]
    assert body["request_id"] == reply.headers["X-Request-Id"]
    return str(body["error_msg"])


async def test_a_genuine_signature_is_let_in(client: Any) -> None:
    reply = await client.list_authorizations(keys=PLATFORM)
    assert reply.status == 200


async def test_without_proof_the_token_is_missed(client: Any) -> None:
    reply = await client.list_authorizations(headers={})
    assert message(reply) == PREFIX + "x-auth-token not found"


async def test_another_kind_of_authorization_is_no_proof(client: Any) -> None:
    reply = await client.list_authorizations(headers={"Authorization": "Basic YTpi"})
    assert message(reply) == PREFIX + "verify aksk signature fail"


async def test_a_wrong_secret_key_is_answered_with_what_should_have_been_signed(
    client: Any,
) -> None:
    reply = await client.list_authorizations(keys=WRONG)
    text = message(reply)
    assert text.startswith(PREFIX + "verify aksk signature fail,canonicalRequest:GET|/v1/")
    assert "|x-sdk-date:20260115T083000Z|" in text


async def test_an_unknown_access_key_is_named(client: Any) -> None:
    reply = await client.list_authorizations(keys=("AKNOBODY", "sk"))
    assert message(reply) == PREFIX + "ak AKNOBODY not exist"


async def test_a_signature_of_sixteen_minutes_ago_is_refused(client: Any) -> None:
    target = "/v1/0123456789abcdef0123456789abcdef/git/auths"
    headers = client.sign("GET", target, PLATFORM)
    client.clock.advance(960)
    reply = await client.send("GET", target, headers=headers)
    assert message(reply) == PREFIX + "verify aksk signature fail"


async def test_temporary_keys_need_their_security_token_and_end(client: Any) -> None:
    keys = ("AKPIPELINE", "sk-pipeline")
    assert (await client.list_authorizations(keys=(*keys, "st-pipeline"))).status == 200
    for incomplete in (keys, (*keys, "other")):
        text = message(await client.list_authorizations(keys=incomplete))
        assert text == PREFIX + "Get secretKey failed,ak:AKPIPELINE,err:ak not exist"
    client.clock.advance(3600)
    reply = await client.list_authorizations(keys=(*keys, "st-pipeline"))
    assert message(reply) == PREFIX + "ak AKPIPELINE not exist"


async def test_the_sixth_failure_in_a_row_locks_the_key_for_five_minutes(client: Any) -> None:
    texts = [message(await client.list_authorizations(keys=WRONG)) for _ in range(6)]
    assert [text == LOCKED for text in texts] == [False] * 5 + [True]
    client.clock.advance(299)
    assert message(await client.list_authorizations(keys=PLATFORM)) == LOCKED
    client.clock.advance(1)
    assert (await client.list_authorizations(keys=PLATFORM)).status == 200


async def test_success_resets_the_count(client: Any) -> None:
    for _ in range(2):
        for _ in range(5):
            await client.list_authorizations(keys=WRONG)
        assert (await client.list_authorizations(keys=PLATFORM)).status == 200


async def test_locking_one_key_leaves_the_others(client: Any) -> None:
    for _ in range(6):
        await client.list_authorizations(keys=("AKOUTSIDER", "wrong"))
    assert (await client.list_authorizations(keys=PLATFORM)).status == 200


async def test_a_token_that_was_never_issued_cannot_be_decrypted(client: Any) -> None:
    reply = await client.list_authorizations(token="MII")
    assert message(reply) == PREFIX + "decrypt token fail"


async def test_a_token_opens_the_project_of_its_scope_only(client: Any) -> None:
    login = await client.log_in(project={"name": "cn-north-4_payments"})
    token = login.headers["X-Subject-Token"]
    assert (await client.list_authorizations(token=token)).status == 200
    reply = await client.list_authorizations(WEB, token=token)
    assert message(reply, code="APIGW.0307") == "The token must be updated."


async def test_a_token_of_the_domain_opens_no_project(client: Any) -> None:
    token = (await client.log_in()).headers["X-Subject-Token"]
    message(await client.list_authorizations(token=token), code="APIGW.0307")


async def test_an_expired_token_is_told_when_it_ended(client: Any) -> None:
    login = await client.log_in(project={"name": "cn-north-4_payments"})
    client.clock.advance(86400)
    reply = await client.list_authorizations(token=login.headers["X-Subject-Token"])
    expected = PREFIX + "token expires, expires_at: 2026-01-16T08:30:00.000000Z"
    assert message(reply) == expected


@pytest.mark.parametrize(
    ("project", "code"),
    [(WEB, "APIGW.0302"), ("f" * 32, "APIGW.0302"), (OLD, "APIGW.0310"), (DENIED, "APIGW.0302")],
    ids=["not let in", "unknown", "disabled", "policy"],
)
async def test_projects_that_may_not_be_used_are_forbidden(
    client: Any, project: str, code: str
) -> None:
    message(await client.list_authorizations(project, keys=PLATFORM), 403, code)


async def test_policy_forbids_single_operations(client: Any) -> None:
    forbidden = await client.list_authorizations(DENIED, keys=PLATFORM)
    assert "list_authorizations" in message(forbidden, 403, "APIGW.0302")
    allowed = await client.send("GET", f"/v1/{DENIED}/git/repos/namespaces", keys=PLATFORM)
    assert allowed.json()["error_code"] == "SVCSTG.REPO.0450"


async def test_a_credential_of_another_domain_may_use_nothing(
    simulate: Callable[..., Awaitable[Any]],
) -> None:
    base = """
credentials: [{name: k, type: keys, access_key: A, secret_key: s, domain: elsewhere}]
projects: [{name: cn-north-4, id: 0123456789abcdef0123456789abcdef}]
"""
    client = await simulate(base=base)
    message(await client.list_authorizations(keys=("A", "s")), 403, "APIGW.0302")
