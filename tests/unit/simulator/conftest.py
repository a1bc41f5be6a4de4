"""A simulator on a free port, a clock that stands still, and clients that sign."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import yarl

from auditd.simulator.loading import parse_scenario
from auditd.simulator.server import Simulator

PAYMENTS = "0123456789abcdef0123456789abcdef"
BASE = """
credentials:
  - {name: platform, type: keys, access_key: AKPLATFORM, secret_key: sk-platform}
  - {name: outsider, type: keys, access_key: AKOUTSIDER, secret_key: sk-outsider}
  - name: pipeline
    type: keys
    access_key: AKPIPELINE
    secret_key: sk-pipeline
    security_token: st-pipeline
    expires: +1h
  - {name: console, type: user, user: auditor, password: correct}
  - {name: workload, type: agency, pod_token: pod, id_token: idt}
projects:
  - name: cn-north-4_payments
    id: 0123456789abcdef0123456789abcdef
    credentials: [platform, pipeline, console, workload]
    authorizations:
      - {name: gh-main, created: -300d, updated: -120d}
      - name: gl-private
        repo_type: gitlab
        repo_host: https://git.acme.example/api/v4
        status: overdue
  - {name: cn-north-4_web, id: 0123456789abcdef0123456789abcde1, credentials: [console]}
  - {name: cn-east-3_old, id: 0123456789abcdef0123456789abcde2, enabled: false}
  - name: cn-east-3_denied
    id: 0123456789abcdef0123456789abcde3
    denied: [list_authorizations]
"""


@dataclass
class Clock:
    """Stands still until it is moved."""

    instant: datetime = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self.instant

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Sends what it is told to, with the signature of the official SDK where keys are given."""

    url: str
    clock: Clock
    session: aiohttp.ClientSession
    sdk: Any
    waits: list[float] = field(default_factory=list)

    async def send(
        self,
        method: str,
        target: str,
        *,
        keys: tuple[str, ...] | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        body: object = None,
    ) -> Reply:
        """`keys` is AK and SK, then a security token if there is one."""
        content = b"" if body is None else json.dumps(body).encode()
        sent = dict(headers or {})
        if token is not None:
            sent["X-Auth-Token"] = token
        if keys is not None:
            sent = self.sign(method, target, keys, sent, content)
        url = yarl.URL(self.url + target, encoded=True)
        async with self.session.request(
            method, url, headers=sent, data=content or None, allow_redirects=False
        ) as response:
            return Reply(response.status, response.headers, await response.read())

    async def list_authorizations(self, project_id: str = PAYMENTS, **how: Any) -> Reply:
        how = how or {"keys": ("AKPLATFORM", "sk-platform")}
        return await self.send("GET", f"/v1/{project_id}/git/auths", **how)

    async def log_in(self, password: str = "correct", **scope: Any) -> Reply:
        user = {"name": "auditor", "password": password, "domain": {"name": "acme"}}
        auth: dict[str, Any] = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            **({"scope": scope} if scope else {}),
        }
        return await self.send("POST", "/v3/auth/tokens?nocatalog=true", body={"auth": auth})

    def sign(
        self,
        method: str,
        target: str,
        keys: tuple[str, ...],
        headers: dict[str, str] | None = None,
        content: bytes = b"",
    ) -> dict[str, str]:
        url = yarl.URL(self.url + target, encoded=True)
        request = self.sdk.SdkRequest(
            method=method,
            schema=url.scheme,
            host=url.authority,
            resource_path=url.raw_path,
            query_params=list(url.query.items()),
            header_params=dict(headers or {})
            | {
                "Content-Type": "application/json",
                "X-Sdk-Date": self.clock.now().strftime("%Y%m%dT%H%M%SZ"),
            },
            body=content,
        )
        credentials = self.sdk.BasicCredentials(*keys[:2])
        if len(keys) > 2:
            credentials = credentials.with_security_token(keys[2])
        credentials.sign_request(request)
        return dict(request.header_params)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The official SDK, imported where its application_id file harms nobody's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        load = importlib.import_module
        yield SimpleNamespace(
            BasicCredentials=load("huaweicloudsdkcore.auth.credentials").BasicCredentials,
            SdkRequest=load("huaweicloudsdkcore.sdk_request").SdkRequest,
            ServiceResponseException=load(
                "huaweicloudsdkcore.exceptions.exceptions"
            ).ServiceResponseException,
            internal=load("huaweicloudsdkcore.auth.internal"),
            provider=load("huaweicloudsdkcore.auth.provider"),
            region=load("huaweicloudsdkcore.region.region").Region,
            servicestage=load("huaweicloudsdkservicestage.v2"),
        )


@pytest.fixture
async def simulate(clock: Clock, sdk: Any) -> AsyncIterator[Callable[[str], Awaitable[Client]]]:
    """Start a simulator; the argument is added to the base scenario, or replaces it."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(max_field_size=65536, max_line_size=65536)
        )

        async def start(more: str = "", *, base: str = BASE) -> Client:
            waits: list[float] = []

            async def sleep(seconds: float) -> None:
                waits.append(seconds)

            simulator = Simulator(parse_scenario(base + more, "test"), now=clock.now, sleep=sleep)
            bound = await stack.enter_async_context(simulator.serve())
            return Client(bound.url, clock, session, sdk, waits)

        yield start


@pytest.fixture
async def client(simulate: Callable[[], Awaitable[Client]]) -> Client:
    """A client of the base scenario."""
    return await simulate()
