from __future__ import annotations

from random import Random
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from auditd.simulator.control import Control
from auditd.simulator.fleet import Fleet
from auditd.simulator.gateway import Gateway
from auditd.simulator.iam import Iam
from auditd.simulator.keyring import KeyRing
from auditd.simulator.ledger import Ledger
from auditd.simulator.loading import load_scenario
from auditd.simulator.tokens import TokenStore

PLATFORM = ("AKPLATFORM", "sk-platform")
PAYMENTS, WEB = "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcde1"


async def stats(client: Any) -> Any:
    return (await client.send("GET", "/_simulator/stats")).json()


async def test_requests_are_counted_by_all_that_distinguishes_them(client: Any) -> None:
    for _ in range(2):
        await client.list_authorizations(keys=PLATFORM)
    await client.list_authorizations(WEB, keys=PLATFORM)
    await client.send("GET", "/nowhere")
    assert (await stats(client))["requests"] == [
        {
            "operation": "list_authorizations",
            "project": project,
            "credential": "platform",
            "status": status,
            "count": count,
        }
        for project, status, count in [("cn-north-4_payments", 200, 2), ("cn-north-4_web", 403, 1)]
    ] + [{"operation": "unknown", "project": "", "credential": "", "status": 404, "count": 1}]


async def test_an_answer_that_was_not_completed_counts_as_status_zero(simulate: Any) -> None:
    client = await simulate("faults: [{effect: {type: reset}}]")
    with pytest.raises(OSError, match=r"disconnected|reset"):
        await client.list_authorizations(keys=PLATFORM)
    assert [request["status"] for request in (await stats(client))["requests"]] == [0]


async def test_logins_are_counted_by_scope(client: Any) -> None:
    for scope in ({"project": {"id": PAYMENTS}}, {"project": {"id": PAYMENTS}}, {}):
        await client.log_in(**scope)
    assert (await stats(client))["logins"] == {"cn-north-4_payments": 2, "domain": 1}


async def test_failures_and_locks_are_shown(client: Any) -> None:
    for _ in range(6):
        await client.list_authorizations(keys=("AKPLATFORM", "wrong"))
    for _ in range(5):
        await client.log_in("wrong")
    seen = await stats(client)
    assert seen["authentication_failures"] == {"AKPLATFORM": 6, "acme/auditor": 5}
    assert seen["locked"] == ["AKPLATFORM", "acme/auditor"]


async def log_in_to(client: Any, project_id: str) -> str:
    login = await client.log_in(project={"id": project_id})
    return str(login.headers["X-Subject-Token"])


@pytest.mark.parametrize(
    ("body", "revoked", "statuses"),
    [(None, 2, [401, 401]), ({"project": "cn-north-4_web"}, 1, [200, 401])],
)
async def test_tokens_are_revoked_before_they_expire(
    client: Any, body: object, revoked: int, statuses: list[int]
) -> None:
    tokens = {project: await log_in_to(client, project) for project in (PAYMENTS, WEB)}
    answer = await client.send("POST", "/_simulator/revoke", body=body)
    assert answer.json() == {"revoked": revoked}
    replies = [await client.list_authorizations(p, token=t) for p, t in tokens.items()]
    assert [reply.status for reply in replies] == statuses
    assert replies[1].json()["error_code"] == "APIGW.0307"
    assert (await client.list_authorizations(WEB, token=await log_in_to(client, WEB))).status == 200


async def test_an_authorization_is_changed_at_once(client: Any) -> None:
    client.clock.advance(60)
    body = {"name": "gh-main", "set": {"status": "overdue", "updated": "now"}}
    target = "/_simulator/authorizations/cn-north-4_payments"
    answer = (await client.send("POST", target, body=body)).json()
    assert (answer["status"], answer["update_time"]) == (1, 1768465800000 + 60_000)
    listed = (await client.list_authorizations(keys=PLATFORM)).json()["authorizations"]
    assert listed[0] == answer


@pytest.mark.parametrize(
    ("target", "body", "status"),
    [
        ("revoke", {"project": "nowhere"}, 404),
        ("revoke", [], 400),
        ("authorizations/nowhere", {"name": "a", "set": {}}, 404),
        ("authorizations/cn-north-4_payments", {"name": "a", "set": {}}, 404),
        ("authorizations/cn-north-4_payments", {"name": "a", "set": {"colour": 1}}, 400),
    ],
)
async def test_what_cannot_be_done_is_refused(
    client: Any, target: str, body: object, status: int
) -> None:
    assert (await client.send("POST", f"/_simulator/{target}", body=body)).status == status


@pytest.mark.parametrize(
    ("address", "is_found"), [("127.0.0.1", True), ("::1", True), ("192.0.2.7", False)]
)
async def test_another_machine_is_told_that_there_is_nothing(
    clock: Any, address: str, *, is_found: bool
) -> None:
    now = clock.now
    ledger, scenario = Ledger(), load_scenario()
    fleet = Fleet(scenario, start=now(), now=now)
    tokens = TokenStore(scenario.tokens, random=Random(1), now=now)
    keys = KeyRing(scenario.credentials, random=Random(1), start=now(), now=now)
    shared: dict[str, Any] = {"keys": keys, "tokens": tokens, "fleet": fleet, "ledger": ledger}
    gateway = Gateway(**shared, now=now)
    iam = Iam(scenario.credentials, **shared, now=now)
    control = Control(fleet=fleet, gateway=gateway, iam=iam, ledger=ledger, tokens=tokens)
    show = next(route.handler for route in control.routes() if route.path.endswith("stats"))
    request = make_mocked_request("GET", "/_simulator/stats").clone(remote=address)
    try:
        response: Any = await show(request)
    except web.HTTPNotFound:
        assert not is_found
    else:
        assert is_found
        assert response.status == 200
