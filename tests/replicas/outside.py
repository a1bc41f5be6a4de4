"""The outside as one process: a cloud that never rests, and receivers that refuse some messages.

`python -m tests.replicas.outside DIRECTORY PROJECTS` says where it is. Until its standard input is
closed authorizations lapse and are mended; then all is well for ever. DIRECTORY gets a line for
each list that was asked for and for each message that was accepted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from auditd.simulator.authorization import AuthorizationPatch
from auditd.simulator.scenario import Scenario
from auditd.simulator.server import Simulator
from tests.e2e.scenarios import KEYS, project_id

AUTHORIZATIONS = 60
"""In each project: so many that none lapses often enough to count as flapping."""
LAPSE_EVERY_SECONDS = 0.5
LAPSE_SECONDS = 5.0
LATENCY_SECONDS = 0.2
"""Of a list, so that some polls are under way at any moment."""
REFUSES = 0.1
"""The share of messages that are answered with 503."""


def main(directory: str, projects: str) -> None:
    """Be there until killed."""
    asyncio.run(_be_there(Path(directory), int(projects)))


class _Cloud(Simulator):
    """A simulator that notes what is asked, and whose authorizations lapse one after another."""

    def __init__(self, projects: int, note: Callable[..., None]) -> None:
        names = [f"a{number}" for number in range(AUTHORIZATIONS)]
        self._ids = {f"p{number}": project_id(number) for number in range(projects)}
        scenario = {
            "credentials": [KEYS],
            "projects": [
                {
                    "name": f"cn-north-4_{name}",
                    "id": id_,
                    "authorizations": [{"name": each, "updated": "-1d"} for each in names],
                }
                for name, id_ in self._ids.items()
            ],
        }
        super().__init__(Scenario.model_validate(scenario), now=lambda: datetime.now(UTC))
        self._note = note

    def _application(self) -> web.Application:
        application = super()._application()
        application.middlewares.append(self._watch)
        return application

    @web.middleware
    async def _watch(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if request.method == "GET" and request.path.endswith("/git/auths"):
            number = int(request.match_info["project_id"], 16)
            self._note(project=f"p{number}")
            await asyncio.sleep(LATENCY_SECONDS)
        return await handler(request)

    async def live(self, calm: asyncio.Event) -> None:
        """Each lapses in its turn and is mended; all at once when it is to be calm."""
        turns = [
            (id_, f"a{number}") for number in range(AUTHORIZATIONS) for id_ in self._ids.values()
        ]
        Random(1).shuffle(turns)
        async with asyncio.TaskGroup() as group:
            while not calm.is_set():
                for turn in turns:
                    group.create_task(self._lapse(*turn, calm))
                    await asyncio.sleep(LAPSE_EVERY_SECONDS)
                    if calm.is_set():
                        break

    async def _lapse(self, id_: str, name: str, calm: asyncio.Event) -> None:
        self._fleet.patch(id_, name, AuthorizationPatch(status=1))
        with suppress(TimeoutError):
            await asyncio.wait_for(calm.wait(), LAPSE_SECONDS)
        self._fleet.patch(id_, name, AuthorizationPatch(status=0))


async def _be_there(directory: Path, projects: int) -> None:
    calm = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), calm.set)
    cloud = _Cloud(projects, _noting(directory / "requests"))
    receivers = web.AppRunner(_receivers(_noting(directory / "messages")), access_log=None)
    await receivers.setup()
    await web.TCPSite(receivers, "0.0.0.0", 0).start()
    async with cloud.serve("0.0.0.0") as bound:
        sys.stdout.write(f"{bound.port} {receivers.addresses[0][1]}\n")
        sys.stdout.flush()
        living = asyncio.create_task(cloud.live(calm))
        await calm.wait()
        loop.remove_reader(sys.stdin.fileno())
        await living
        await asyncio.Event().wait()


def _receivers(note: Callable[..., None]) -> web.Application:
    random = Random(2)

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        if random.random() < REFUSES:
            return web.Response(status=503)
        alerts = json.loads(body)["data"]["alerts"]
        note(hook=request.match_info["hook"], id=request.headers["webhook-id"], alerts=alerts)
        return web.Response(status=204)

    application = web.Application()
    application.router.add_post("/{hook}", take)
    return application


def _noting(file: Path) -> Callable[..., None]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(**what: Any) -> None:
        os.write(descriptor, json.dumps({"at": time.time(), **what}).encode() + b"\n")

    return note


if __name__ == "__main__":
    main(*sys.argv[1:])
