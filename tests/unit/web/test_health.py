from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from auditd.web.health import Readiness, make_health_app
from auditd.web.listener import listen
from tests.unit.web.secured import ADDRESS


@pytest.fixture
async def probe() -> AsyncIterator[ClientSession]:
    app = make_health_app(lambda: Readiness(("the state is not writable",)))
    async with (
        listen(app, [ADDRESS]) as (bound,),
        ClientSession(f"http://{bound}") as client,
    ):
        yield client


async def test_health_and_readiness_are_told(probe: ClientSession) -> None:
    async with probe.get("/-/healthy") as response:
        assert response.status == 200
    async with probe.get("/-/ready") as response:
        assert (response.status, await response.text()) == (503, "the state is not writable\n")


@pytest.mark.parametrize("page", ["/", "/metrics", "/api/v1/alerts", "/-/reload"])
async def test_nothing_else_is_there(probe: ClientSession, page: str) -> None:
    async with probe.get(page) as response:
        assert response.status == 404
        assert response.headers["Server"] == "servicestage-auditd"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
