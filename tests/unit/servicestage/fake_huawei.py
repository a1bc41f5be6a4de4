"""ServiceStage and IAM as far as credentials notice them, in the time of the loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from auditd.audit.events import Event
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import Plugin
from auditd.audit.project import Project
from auditd.servicestage.clients import CredentialSpec
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.message import Answer, Request

START = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)
CANARY = "canary-Zm9vYmFy"


def now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


class FakeSecret:
    """A secret that a test can rotate, or break with an OSError."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.error: OSError | None = None

    def reveal(self) -> str:
        if self.error:
            raise self.error
        return self.value

    def __repr__(self) -> str:
        return "***"


def answer(status: int, body: object = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, json.dumps(body).encode())


REFUSAL = answer(
    401,
    {"error_msg": "Incorrect IAM authentication information", "error_code": "APIGW.0301"},
)
WRONG_PASSWORD = answer(
    401, {"error": {"message": "The username or password is wrong.", "code": 401}}
)
CONNECTION_REFUSED = PollError(FailureReason.CONNECT, "servicestage.example: refused")
EMPTY_LIST = answer(200, {"authorizations": [], "count": 0})


@dataclass
class FakeHuawei:
    """Fulfils Transport. `fault` may answer a request in place of the service, or raise."""

    keys: set[str] = field(default_factory=set)
    password: str = ""
    latency_seconds: float = 0.1
    token_life: timedelta = timedelta(hours=24)
    fault: Callable[[Request], Answer | PollError | None] = lambda _: None
    projects: object = None
    sent: list[tuple[float, Request]] = field(default_factory=list)
    tokens: dict[str, str | None] = field(default_factory=dict)
    under_way: int = 0
    most_under_way: int = 0
    serial: int = 0

    async def send(self, request: Request, *, timeout_seconds: float | None) -> Answer:
        self.sent.append((asyncio.get_running_loop().time(), request))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.latency_seconds)
        finally:
            self.under_way -= 1
        faulty = self.fault(request)
        if isinstance(faulty, PollError):
            raise faulty
        return faulty or self._serve(request)

    def _serve(self, request: Request) -> Answer:
        if request.target == "/v3/auth/tokens":
            return self._log_in(json.loads(request.body)["auth"])
        if not self._knows(request):
            return REFUSAL
        if request.target == "/v3/auth/projects":
            return answer(200, self.projects)
        if request.target.endswith("/git/repos/namespaces"):
            return answer(200, {"namespaces": []})
        return EMPTY_LIST

    def _knows(self, request: Request) -> bool:
        signature = request.headers.get("Authorization", "")
        if any(f"Access={key}," in signature for key in self.keys):
            return True
        token = request.headers.get("X-Auth-Token", "")
        if token not in self.tokens:
            return False
        project_id = self.tokens[token]
        return project_id is None or f"/{project_id}/" in request.target

    def _log_in(self, auth: dict[str, Any]) -> Answer:
        if auth["identity"]["password"]["user"]["password"] != self.password:
            return WRONG_PASSWORD
        self.serial += 1
        token = f"{CANARY}-token-{self.serial}"
        self.tokens[token] = auth["scope"].get("project", {}).get("id")
        expires_at = f"{now() + self.token_life:%Y-%m-%dT%H:%M:%S.%fZ}"
        return answer(201, {"token": {"expires_at": expires_at}}, x_subject_token=token)

    def targets(self, end: str = "") -> list[str]:
        return [request.target for _, request in self.sent if request.target.endswith(end)]

    @property
    def logins(self) -> list[str | None]:
        """The project id that each log-in asked for."""
        bodies = [json.loads(r.body) for _, r in self.sent if r.target == "/v3/auth/tokens"]
        return [body["auth"]["scope"].get("project", {}).get("id") for body in bodies]


def make_project(number: int = 1, **changes: Any) -> Project:
    settings: dict[str, Any] = {
        "name": f"project-{number}",
        "project_id": f"{number:032x}",
        "region": "cn-north-4",
        "credential": "prod",
        "poll_interval": timedelta(minutes=5),
        "poll_timeout": timedelta(seconds=30),
        "endpoint": "https://servicestage.example",
    }
    return Project(**settings | changes)


def make_cloud(
    huawei: FakeHuawei,
    plugin: Plugin[Any, Any],
    options: Any,
    *,
    events: list[Event] | None = None,
    requests_per_second: float = 1000,
    concurrency: int = 32,
    secrets: list[str] | None = None,
) -> Cloud:
    return Cloud(
        [CredentialSpec("prod", plugin, options)],
        transport=huawei,
        requests_per_second=requests_per_second,
        concurrency=concurrency,
        emit=(events if events is not None else []).append,
        now=now,
        random=Random(1),
        on_secret=(secrets if secrets is not None else []).append,
    )


async def poll(cloud: Cloud, project: Project) -> str:
    """`ok`, or the reason why not. No error may show a secret."""
    outcome, shown = "ok", ""
    try:
        async with cloud.turn(project) as turn:
            await turn.list_authorizations()
    except PollError as error:
        outcome, shown = error.reason.value, f"{error} {error!r} {error.__cause__!r}"
    assert CANARY not in shown
    return outcome


async def poll_all(cloud: Cloud, count: int) -> list[str]:
    return await asyncio.gather(*(poll(cloud, make_project(n)) for n in range(1, count + 1)))
