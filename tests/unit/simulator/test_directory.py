from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

PLATFORM = ("AKPLATFORM", "sk-platform")
BULK = """
credentials: [{name: platform, type: keys, access_key: AKPLATFORM, secret_key: sk-platform}]
generate: {projects: 5, authorizations: 0, regions: [cn-north-4, cn-east-3]}
"""


async def list_projects(client: Any, query: str = "") -> Any:
    reply = await client.send("GET", f"/v3/projects{query}", keys=PLATFORM)
    assert reply.status == 200
    return reply.json()


async def test_the_caller_sees_what_it_may_use_disabled_or_not(client: Any) -> None:
    reply = await client.send("GET", "/v3/auth/projects", keys=PLATFORM)
    seen = {project["name"]: project["enabled"] for project in reply.json()["projects"]}
    assert seen == {"cn-north-4_payments": True, "cn-east-3_old": False, "cn-east-3_denied": True}


async def test_a_token_of_the_domain_may_list_too(client: Any) -> None:
    token = (await client.log_in()).headers["X-Subject-Token"]
    reply = await client.send("GET", "/v3/auth/projects", token=token)
    names = [project["name"] for project in reply.json()["projects"]]
    assert "cn-north-4_web" in names


@pytest.mark.parametrize("target", ["/v3/auth/projects", "/v3/projects"])
async def test_nobody_lists_without_proof(client: Any, target: str) -> None:
    assert (await client.send("GET", target)).status == 401


async def test_projects_are_filtered(client: Any) -> None:
    by_name = await list_projects(client, "?name=cn-east-3_old")
    assert [project["name"] for project in by_name["projects"]] == ["cn-east-3_old"]
    assert len((await list_projects(client, "?enabled=true"))["projects"]) == 2
    assert (await list_projects(client, "?domain_id=other"))["projects"] == []


async def test_a_sub_project_belongs_to_the_project_of_its_region(
    simulate: Callable[..., Awaitable[Any]],
) -> None:
    base = BULK.replace("generate", "projects: [{name: cn-north-4}]\ngenerate")
    region, *subs = (await list_projects(await simulate(base=base)))["projects"]
    assert region["parent_id"] == region["domain_id"]
    parents = {sub["parent_id"] for sub in subs if sub["name"].startswith("cn-north-4")}
    assert parents == {region["id"]}


async def test_pages_follow_each_other_to_the_end(
    simulate: Callable[..., Awaitable[Any]],
) -> None:
    client = await simulate(base=BULK)
    everything = [project["name"] for project in (await list_projects(client))["projects"]]
    names, target, pages = [], "/v3/projects?page=1&per_page=2", 0
    while target:
        page = (await client.send("GET", target, keys=PLATFORM)).json()
        names += [project["name"] for project in page["projects"]]
        following = page["links"]["next"] or ""
        assert following.startswith(client.url) or not following
        target, pages = following.removeprefix(client.url), pages + 1
    assert (names, pages, len(names)) == (everything, 3, 5)
    assert page["links"]["previous"].endswith("page=2&per_page=2")


@pytest.mark.parametrize("query", ["?page=1", "?per_page=5", "?page=0&per_page=1", "?enabled=x"])
async def test_a_bad_query_is_refused(client: Any, query: str) -> None:
    reply = await client.send("GET", f"/v3/projects{query}", keys=PLATFORM)
    assert (reply.status, reply.json()["error_code"]) == (400, "IAM.0007")
