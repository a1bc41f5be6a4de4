"""The whole way, over real connections: a password credential with tokens of a real size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest
from aiohttp import web

from auditd.audit.verification import Verdict
from auditd.servicestage.clients import CredentialSpec
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.credentials import iam_password
from auditd.servicestage.transport import Transport, TransportOptions
from tests.unit.servicestage.fake_huawei import START, FakeSecret, make_project

TOKEN = "MII" + "A" * 20_000
PROJECT = make_project()


async def log_in(request: web.Request) -> web.Response:
    asked = await request.json()
    assert asked["auth"]["scope"] == {"project": {"id": PROJECT.project_id}}
    body = {"token": {"expires_at": "2026-01-16T08:30:00.000000Z"}}
    return web.json_response(body, status=201, headers={"X-Subject-Token": TOKEN})


def is_let_in(request: web.Request) -> bool:
    return request.headers.get("X-Auth-Token") == TOKEN


async def list_authorizations(request: web.Request) -> web.Response:
    entry = {"name": "gh-main", "repo_type": "github", "status": 0}
    body = {"authorizations": [entry], "count": 1}
    return web.json_response(body) if is_let_in(request) else web.Response(status=401)


async def list_namespaces(request: web.Request) -> web.Response:
    assert request.headers["X-Repo-Auth"] == "gh-main"
    body: dict[str, list[str]] = {"namespaces": []}
    return web.json_response(body) if is_let_in(request) else web.Response(status=401)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app, base = web.Application(), f"/v1/{PROJECT.project_id}/git"
    app.router.add_post("/v3/auth/tokens", log_in)
    app.router.add_get(f"{base}/auths", list_authorizations)
    app.router.add_get(f"{base}/repos/namespaces", list_namespaces)
    runner = web.AppRunner(app, max_field_size=65_536, max_line_size=65_536)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_project_is_listed_and_verified_with_one_login(url: str) -> None:
    options = iam_password.IamPasswordOptions(
        domain="acme", user="auditor", password=FakeSecret("right"), iam_endpoint=url
    )
    async with (
        Transport(TransportOptions()) as transport,
        Cloud(
            [CredentialSpec("prod", iam_password.PLUGIN, options)],
            transport=transport,
            requests_per_second=100,
            concurrency=4,
            emit=lambda _: None,
            now=lambda: START,
            random=Random(1),
            on_secret=lambda _: None,
        ) as cloud,
        cloud.turn(make_project(endpoint=url)) as turn,
    ):
        listing = await turn.list_authorizations()
        verdict = await turn.verify("gh-main")
    [status] = cloud.credential_statuses()

    assert [authorization.name for authorization in listing.authorizations] == ["gh-main"]
    assert verdict is Verdict.WORKS
    assert status.clock_skew_seconds is not None
