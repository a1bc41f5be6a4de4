"""A receiver of webhooks that notes when each alert came."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep, time

from aiohttp import web

from benchmarks.daemon_process import free_port


@dataclass(frozen=True, slots=True)
class Receiver:
    """One that runs."""

    port: int
    notes: Path

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self.port}/"

    def arrivals(self) -> list[tuple[float, float]]:
        """When each alert fired, and when it came: seconds since the epoch, in order of coming."""
        lines = self.notes.read_text(encoding="utf-8").splitlines()
        return [(fired, came) for fired, came in (map(float, line.split()) for line in lines)]


@contextmanager
def receiver(notes: Path) -> Iterator[Receiver]:
    """One in a process of its own, until the block ends."""
    running = Receiver(free_port(), notes)
    command = [sys.executable, "-m", "benchmarks.webhook_receiver", str(running.port), str(notes)]
    with subprocess.Popen(command) as process:  # noqa: S603 - ours
        try:
            while not notes.exists():  # it is made when the receiver listens
                if process.poll() is not None:
                    sys.exit("the receiver ended before it listened")
                sleep(0.05)
            yield running
        finally:
            process.terminate()


def _receive(port: int, notes: Path) -> None:
    application = web.Application()

    async def begin(_: web.Application) -> None:
        application["lines"] = notes.open("w", encoding="utf-8", buffering=1)

    async def take(request: web.Request) -> web.Response:
        came_at = time()
        for alert in json.loads(await request.read())["data"]["alerts"]:
            fired_at = datetime.fromisoformat(alert["starts_at"]).timestamp()
            application["lines"].write(f"{fired_at} {came_at}\n")
        return web.Response()

    application.on_startup.append(begin)
    application.router.add_post("/", take)
    web.run_app(application, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    _receive(int(sys.argv[1]), Path(sys.argv[2]))
