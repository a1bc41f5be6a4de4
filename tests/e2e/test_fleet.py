from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.metrics import scrape
from tests.e2e.program import running
from tests.e2e.scenarios import (
    ACCESS_KEY,
    PASSWORD,
    SECRET_KEY,
    USER,
    make_configuration,
    make_scenario,
    project_id,
)

pytestmark = pytest.mark.timeout(60)

REGIONS = ("cn-north-4", "cn-east-3", "ap-southeast-1")


def big_scenario() -> dict[str, Any]:
    """200 projects in three regions: a hundred for keys, fifty for each of two users."""
    owners = ["keys"] * 100 + ["user"] * 50 + ["other"] * 50
    return {
        "credentials": [
            *make_scenario()["credentials"],
            {**USER, "name": "other", "user": "second"},
        ],
        "projects": [
            {
                "name": f"{REGIONS[number % 3]}_p{number}",
                "id": project_id(number),
                "credentials": [owner],
                "authorizations": [{"name": "gh", "updated": "-1d"}],
            }
            for number, owner in enumerate(owners)
        ],
    }


def big_configuration(cloud: str) -> dict[str, Any]:
    password = {
        "type": "iam_password",
        "domain": "acme",
        "password": PASSWORD,
        "iam_endpoint": cloud,
    }
    scenario = big_scenario()
    return {
        "global": {"poll_interval": "5s", "poll_timeout": "5s", "requests_per_second": 200},
        "credentials": [
            {
                "name": "keys",
                "type": "aksk",
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
            },
            {"name": "user", "user": "auditor", **password},
            {"name": "other", "user": "second", **password},
        ],
        "projects": [
            {
                "name": project["name"],
                "project_id": project["id"],
                "region": project["name"].split("_")[0],
                "credential": project["credentials"][0],
                "endpoint": cloud,
            }
            for project in scenario["projects"]
        ],
    }


async def test_two_hundred_projects_over_three_credentials_are_seen_with_one_login_each(
    simulate: Any, write: Callable[[str, Any], Path], session: aiohttp.ClientSession
) -> None:
    async with simulate(big_scenario()) as cloud:
        file = write("auditd.yaml", big_configuration(cloud.url))
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("daemon.ready", projects=200, seen=200)
            url = await daemon.url()
            # A second and a third round must not log in again.
            while (await scrape(session, url)).total("auditd_polls_total") < 600:
                await asyncio.sleep(0.2)
            seen = await scrape(session, url)
            assert seen.values("auditd_project_up") == [1.0] * 200
            assert seen.total("auditd_poll_failures_total") == 0
            logins = (await cloud.stats())["logins"]
            assert sorted(logins.values()) == [1] * 100


@pytest.mark.parametrize("kind", ["aksk", "iam_password"])
async def test_a_wrong_secret_costs_two_requests_at_most_and_blinds_only_its_projects(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    kind: str,
) -> None:
    async with simulate(make_scenario(50)) as cloud:
        configuration = make_configuration(cloud.url, 50, secret_key="a-wrong-secret-key")
        if kind == "iam_password":
            configuration["credentials"] = [
                {
                    "name": "keys",
                    "type": "iam_password",
                    "domain": "acme",
                    "user": "auditor",
                    "password": "a-wrong-password",
                    "iam_endpoint": cloud.url,
                }
            ]
        file = write("auditd.yaml", configuration)
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("daemon.ready", projects=50, seen=0)
            rejected = await daemon.event("credential.rejected", credential="keys", reason="auth")
            assert rejected["level"] == "error"
            seen = await scrape(session, await daemon.url())
            assert seen.values("auditd_project_up") == [0.0] * 50
            assert seen.values("auditd_poll_failures_total", reason="auth") == [1.0] * 50
            assert seen.total("auditd_poll_failures_total") == 50
        stats = await cloud.stats()
        assert sum(request["count"] for request in stats["requests"]) <= 2
        assert stats["locked"] == []


async def test_revoked_tokens_are_renewed_by_one_login_each(
    simulate: Any, write: Callable[[str, Any], Path], session: aiohttp.ClientSession
) -> None:
    async with simulate(big_scenario()) as cloud:
        file = write("auditd.yaml", big_configuration(cloud.url))
        async with running(
            "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            await daemon.event("daemon.ready", seen=200)
            await cloud.revoke_tokens()
            while sorted((await cloud.stats())["logins"].values()) != [2] * 100:
                await asyncio.sleep(0.2)
            seen = await scrape(session, await daemon.url())
            assert seen.total("auditd_poll_failures_total") == 0
