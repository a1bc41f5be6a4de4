"""Canary secrets of every kind, from the start of a daemon over its faults to its crash."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.canaries import CANARIES, assert_clean, assert_files_clean, assert_no_issued_token
from tests.e2e.installation import FAULTS, HOOKS, Place, configuration, scenario
from tests.e2e.program import finished, running

pytestmark = pytest.mark.timeout(300)

PAGES = (
    "/",
    "/metrics",
    "/-/healthy",
    "/-/ready",
    "/api/v1/status",
    "/api/v1/projects",
    "/api/v1/authorizations",
    "/api/v1/findings",
    "/api/v1/alerts",
    "/api/v1/deliveries",
    "/api/v1/targets",
    "/no-such-page",
)


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("run", "--config.check"),
    ("check",),
    ("discover",),
    ("hooks", "list"),
    *(("hooks", verb, hook) for verb in ("test", "render") for hook in HOOKS),
    ("deliveries", "list"),
    ("audit", "log"),
    ("audit", "export"),
    ("audit", "verify"),
)
"""What people run after a crash."""


class Receiver:
    """A receiver of hooks that refuses and says back all that it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.paths: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.paths.append(request.raw_path)
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
        return web.Response(status=500, text=f"{request.raw_path}\n{headers}")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_no_secret_leaves_by_any_way_while_a_daemon_works_fails_reloads_and_crashes(
    simulate: Any,
    write: Callable[[str, Any], Path],
    session: aiohttp.ClientSession,
    place: Place,
    receiver: Receiver,
) -> None:
    async with simulate(scenario()) as cloud:
        made = configuration(cloud.url, receiver.url, place)
        file = write("auditd.yaml", made)
        place.holders += [file, place.directory / "scenario.yaml"]
        async with running(
            "run",
            f"--config.file={file}",
            f"--web.config.file={place.web_config}",
            "--web.listen-address=127.0.0.1:0",
            "--log.level=debug",
            PYTHONFAULTHANDLER="1",
        ) as daemon:
            for number in range(len(FAULTS)):
                await daemon.event("poll.failed", project=f"p{number}")
            for hook in ("web", "chat", "mail"):
                await daemon.event("delivery.retried", hook=hook)
            await daemon.event("heartbeat.refused")
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.event("config.reloaded")
            write("auditd.yaml", {**made, "credentials": CANARIES["secret-key"]})
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.event("config.rejected")
            write("auditd.yaml", made)
            await look_at_the_pages(await daemon.url(), session, place)
            assert_clean(daemon.arguments(), "the process arguments", place.secrets)
            daemon.process.send_signal(signal.SIGABRT)
            assert await daemon.process.wait() == -signal.SIGABRT
        assert "most recent call first" in daemon.text
        assert_clean(daemon.text, "the log", place.secrets)
        assert_no_issued_token(daemon.text, "the log")
        assert any(CANARIES["hook-url"] in path for path in receiver.paths)
        for command in (*COMMANDS, *await shown_deliveries(file)):
            await look_at(command, file, place)
        seen = assert_files_clean(place.directory, but=place.holders, secrets=place.secrets)
        assert "state.db" in seen


async def look_at_the_pages(url: str, session: aiohttp.ClientSession, place: Place) -> None:
    """As the user that is known, and as one that is not but has the password."""
    url = url.replace("http://", "https://")
    statuses: dict[str, set[int]] = {}
    for user in ("admin", "nobody"):
        login = {"Authorization": aiohttp.encode_basic_auth(user, CANARIES["web-password"])}
        for path in PAGES:
            async with session.get(url + path, headers=login, ssl=place.trust) as answer:
                text = await answer.text() + str(answer.headers)
            assert_clean(text, path, place.secrets)
            assert_no_issued_token(text, path)
            statuses.setdefault(user, set()).add(answer.status)
    assert {200, 404} <= statuses["admin"]
    assert 200 not in statuses["nobody"]


async def shown_deliveries(file: Path) -> list[tuple[str, ...]]:
    """One command for each hook, which shows a delivery that it is owed."""
    _, out, _ = await finished("deliveries", "list", f"--config.file={file}", "--format=json")
    by_hook = {delivery["hook"]: delivery["id"] for delivery in json.loads(out)}
    assert by_hook.keys() == set(HOOKS)
    return [("deliveries", "show", owed) for owed in by_hook.values()]


async def look_at(command: tuple[str, ...], file: Path, place: Place) -> None:
    _, out, err = await finished(*command, f"--config.file={file}")
    said = out + err
    assert said
    assert "Traceback" not in said
    assert_clean(said, " ".join(command), place.secrets)
    assert_no_issued_token(said, " ".join(command))
