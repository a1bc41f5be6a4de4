from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from tests.e2e.metrics import scrape
from tests.e2e.program import Program, finished, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Write = Callable[[str, Any], Path]


class Receiver:
    """Takes webhooks, verifies them with the reference implementation, and keeps them."""

    def __init__(self) -> None:
        self.status = 204
        self.url = ""
        self.taken: list[tuple[str, Any]] = []
        self._news = asyncio.Condition()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_post("/", self._take)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.text()
        Webhook(SECRET).verify(body, dict(request.headers))
        if self.status == 204:
            async with self._news:
                self.taken.append((request.headers["webhook-id"], json.loads(body)))
                self._news.notify_all()
        return web.Response(status=self.status)

    def alerts(self) -> Iterator[tuple[str, str, str]]:
        """Status, alertname and authorization of every alert that was told, in order."""
        for _, payload in self.taken:
            for alert in payload["data"]["alerts"]:
                labels = alert["labels"]
                yield alert["status"], labels["alertname"], labels.get("authorization", "")

    async def told(self, status: str, alertname: str, authorization: str = "") -> None:
        async with asyncio.timeout(30), self._news:
            await self._news.wait_for(lambda: (status, alertname, authorization) in self.alerts())


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taking = Receiver()
    async with taking.serve():
        yield taking


def configure(cloud: str, receiver: Receiver, **settings: Any) -> dict[str, Any]:
    route = {"hook": "ops", "group_by": ["project"], "group_wait": "0s", "group_interval": "1s"}
    hook = {"name": "ops", "type": "webhook", "url": receiver.url, "secret": [SECRET]}
    return {
        **make_configuration(cloud, poll_interval="1s", poll_timeout="1s", **settings),
        "alerting": {"route": route, "hooks": [hook]},
    }


@asynccontextmanager
async def daemon(file: Path) -> AsyncIterator[Program]:
    async with running("run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0") as it:
        yield it


async def change(session: aiohttp.ClientSession, cloud: str, name: str, **fields: str) -> None:
    url = f"{cloud}/_simulator/authorizations/cn-north-4_p0"
    async with session.post(url, json={"name": name, "set": fields}) as answer:
        answer.raise_for_status()


async def test_an_alert_fires_and_resolves_signed_and_once(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    async with simulate(make_scenario()) as cloud:
        file = write("auditd.yaml", configure(cloud.url, receiver))
        async with daemon(file) as program:
            await receiver.told("firing", "GitAuthorizationOverdue", "lapsed")
            await receiver.told("firing", "GitAuthorizationStale", "old")
            await change(session, cloud.url, "lapsed", status="normal")
            await receiver.told("resolved", "GitAuthorizationOverdue", "lapsed")
            await program.event("alert.resolved", authorization="lapsed", reason="cleared")
            url = await program.url()
            while (seen := await scrape(session, url)).total("auditd_outbox_deliveries"):
                await asyncio.sleep(0.1)
            assert seen.total("auditd_notifications_failed_total") == 0
            assert seen.total("auditd_alerts", state="firing") == 1
    ids = [webhook_id for webhook_id, _ in receiver.taken]
    assert len(set(ids)) == len(ids)
    assert list(receiver.alerts()).count(("resolved", "GitAuthorizationOverdue", "lapsed")) == 1


async def test_after_a_kill_nothing_is_told_again_and_nothing_is_forgotten(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    async with simulate(make_scenario()) as cloud:
        file = write("auditd.yaml", configure(cloud.url, receiver))
        async with daemon(file) as program:
            await receiver.told("firing", "GitAuthorizationOverdue", "lapsed")
            await program.event("delivery.sent")
            program.process.kill()
            await program.process.wait()
        told = len(receiver.taken)
        await change(session, cloud.url, "lapsed", status="normal")
        async with daemon(file) as program:
            await receiver.told("resolved", "GitAuthorizationOverdue", "lapsed")
            assert program.told("alert.fired") == []
            assert (await program.event("state.opened"))["kind"] == "opened"
    assert len(receiver.taken) == told + 1


async def test_what_a_dead_hook_is_owed_outlives_a_restart_with_its_id(
    simulate: Any, write: Write, receiver: Receiver
) -> None:
    receiver.status = 503
    async with simulate(make_scenario()) as cloud:
        file = write("auditd.yaml", configure(cloud.url, receiver))
        async with daemon(file) as program:
            owed = await program.event("delivery.retried", reason="server")
        receiver.status = 204
        async with daemon(file):
            await receiver.told("firing", "GitAuthorizationOverdue", "lapsed")
    assert receiver.taken[0][0] == owed["id"]


async def test_a_cloud_that_fails_resolves_nothing_and_is_told_as_one_blind_project(
    simulate: Any, write: Write, session: aiohttp.ClientSession, receiver: Receiver
) -> None:
    failing = {
        "operation": "list_authorizations",
        "after": 2,
        "count": 6,
        "effect": {"type": "status", "status": 503},
    }
    async with simulate(make_scenario(faults=[failing])) as cloud:
        file = write("auditd.yaml", configure(cloud.url, receiver))
        async with daemon(file) as program:
            await receiver.told("firing", "ProjectBlind")
            await receiver.told("resolved", "ProjectBlind")
            await program.event("alert.resolved", alertname="ProjectBlind")
            seen = await scrape(session, await program.url())
    assert seen.total("auditd_alerts", state="firing") == 2
    resolved = {name for status, name, _ in receiver.alerts() if status == "resolved"}
    assert resolved == {"ProjectBlind"}


async def test_an_exception_keeps_a_finding_from_firing(
    simulate: Any, write: Write, receiver: Receiver
) -> None:
    accepted = {
        "match": {"authorization": "lapsed"},
        "owner": "platform@acme.example",
        "reason": "PLAT-42",
        "until": "2999-01-31",
    }
    async with simulate(make_scenario()) as cloud:
        configuration = {**configure(cloud.url, receiver), "exceptions": [accepted]}
        file = write("auditd.yaml", configuration)
        async with daemon(file) as program:
            await receiver.told("firing", "GitAuthorizationStale", "old")
            await program.event("finding.flagged", check="overdue")
            await program.event("delivery.sent")  # logged after all that fired with it
            assert program.told("alert.fired", check="overdue") == []


async def test_a_second_daemon_on_the_same_state_is_refused_with_the_owners_pid(
    simulate: Any, write: Write, receiver: Receiver
) -> None:
    async with simulate(make_scenario()) as cloud:
        file = write("auditd.yaml", configure(cloud.url, receiver))
        async with daemon(file) as program:
            await program.event("daemon.ready")
            code, _, error = await finished(
                "run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0"
            )
            assert code == 4
            assert f"pid {program.process.pid}" in error
