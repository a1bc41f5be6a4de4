"""The packaged demo on the wire: every project seen through its own credential."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

import pytest

KEYS = ("DEMOACCESSKEY0000001", "demo/not+a+secret/0000000000000000000000")


def project_id(number: int) -> str:
    return f"0a11ce{number:026}"


@pytest.fixture
async def demo(simulate: Callable[..., Awaitable[Any]]) -> Any:
    text = (resources.files("auditd.simulator") / "scenarios" / "demo.yaml").read_text("utf-8")
    return await simulate(base=text)


async def log_in(demo: Any, number: int) -> str:
    user = {"name": "auditor", "password": "demo-not-a-secret", "domain": {"name": "acme"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"id": project_id(number)}}
    body = {"auth": {"identity": identity, "scope": scope}}
    login = await demo.send("POST", "/v3/auth/tokens?nocatalog=true", body=body)
    return str(login.headers["X-Subject-Token"])


@pytest.mark.parametrize(("number", "count"), [(1, 3), (2, 3), (3, 2)])
async def test_the_key_pair_sees_its_projects(demo: Any, number: int, count: int) -> None:
    reply = await demo.list_authorizations(project_id(number), keys=KEYS)
    assert (reply.status, reply.json()["count"]) == (200, count)


@pytest.mark.parametrize(("number", "count"), [(4, 2), (5, 1)])
async def test_the_user_sees_the_others(demo: Any, number: int, count: int) -> None:
    reply = await demo.list_authorizations(project_id(number), token=await log_in(demo, number))
    assert (reply.status, reply.json()["count"]) == (200, count)
    assert (await demo.list_authorizations(project_id(number), keys=KEYS)).status == 403


async def test_one_project_fails_and_is_throttled_in_every_round(demo: Any) -> None:
    token = await log_in(demo, 5)
    seen = []
    for _ in range(60):
        reply = await demo.list_authorizations(project_id(5), token=token)
        seen.append(reply.status)
        demo.clock.advance(1)
    assert seen == ([200] * 16 + [500] * 4 + [200] * 6 + [429] * 2 + [200] * 2) * 2


async def test_some_credentials_are_stale_and_one_is_dead_though_normal(demo: Any) -> None:
    listed = (await demo.list_authorizations(project_id(1), keys=KEYS)).json()["authorizations"]
    now = demo.clock.now().timestamp() * 1000
    ages = {entry["name"]: round((now - entry["update_time"]) / 86_400_000) for entry in listed}
    assert ages == {"payments-github": 40, "payments-gitlab": 120, "payments-bitbucket": 210}
    target = f"/v1/{project_id(1)}/git/repos/namespaces"
    headers = {"X-Repo-Auth": "payments-bitbucket"}
    reply = await demo.send("GET", target, keys=KEYS, headers=headers)
    assert reply.json()["error_code"] == "SVCSTG.REPO.0451"
