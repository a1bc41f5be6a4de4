from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession, web

from auditd.web.address import Address
from auditd.web.guard import Guard
from auditd.web.lifecycle import make_lifecycle
from auditd.web.listener import listen


async def answer_to(
    reload: Callable[[], Awaitable[str]] | None, method: str = "POST", **headers: str
) -> tuple[int, str]:
    app = web.Application()
    app.add_routes(make_lifecycle(reload, Guard([])))
    async with (
        listen(app, [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession() as client,
        client.request(method, f"http://{bound}/-/reload", headers=headers) as response,
    ):
        return response.status, await response.text()


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_reload_is_answered_when_it_is_done(method: str) -> None:
    calls = []

    async def reload() -> str:
        calls.append(method)
        return ""

    assert await answer_to(reload, method) == (200, "")
    assert calls == [method]


async def test_a_refused_configuration_is_told_of() -> None:
    async def reload() -> str:
        return "auditd.yaml:1:1: unknown key"

    assert await answer_to(reload) == (
        500,
        "failed to reload config: auditd.yaml:1:1: unknown key\n",
    )


async def test_it_must_be_enabled() -> None:
    assert await answer_to(None) == (403, "Lifecycle API is not enabled.\n")


async def test_it_is_guarded() -> None:
    async def reload() -> str:
        raise AssertionError

    status, text = await answer_to(reload, Origin="http://evil.example")
    assert status == 403
    assert "page of another site" in text


async def test_it_cannot_be_got() -> None:
    assert (await answer_to(None, "GET"))[0] == 405
