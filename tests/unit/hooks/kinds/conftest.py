"""A service on a loopback port, and what hooks are built with to reach it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from auditd.alerting.events import DeliveryEvent
from auditd.hooks.http import HttpClient
from auditd.hooks.port import HttpRequest, ProcessEnd, Surroundings
from tests.unit.hooks.kinds.samples import AT


@dataclass(frozen=True)
class Received:
    """One request, as the service saw it."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """Notes what it gets, and answers in the order of `answers`, the last again and again."""

    answers: list[web.Response] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    origin: str = ""

    @property
    def url(self) -> str:
        return f"{self.origin}/hook/a-secret-token?key=another-secret"

    def answer(self, status: int = 200, text: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(web.Response(status=status, text=text, headers=named))

    def answer_json(self, status: int = 200, /, **said: Any) -> None:
        self.answer(status, json.dumps(said))

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append(
            Received(request.raw_path, dict(request.query), dict(request.headers), body)
        )
        told = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=told.status, text=told.text, headers=told.headers)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    told = Service()
    app = web.Application()
    app.router.add_post("/{path:.*}", told.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        told.origin = f"http://127.0.0.1:{server.port}"
        yield told


async def run_nothing(*_: Any, **__: Any) -> ProcessEnd:
    """For hooks that must not start a program; a test in which one does fails."""
    msg = "this kind of hook starts no program"
    raise NotImplementedError(msg)


def ignore(event: DeliveryEvent) -> None:
    pass


async def sign(
    request: HttpRequest, *, credential: str, project_id: str, region: str
) -> HttpRequest:
    """Notes who was asked to sign, and for what."""
    proof = {"Authorization": f"{credential} {project_id} {region}"}
    return replace(request, headers={**request.headers, **proof})


@pytest.fixture
async def surroundings() -> AsyncIterator[Surroundings]:
    async with HttpClient() as client:
        yield Surroundings(
            http=client, now=lambda: AT, run_process=run_nothing, sign=sign, emit=ignore
        )
