"""The command as users run it, within this process; a state, and a daemon that answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from auditd.cli import main
from auditd.store.opening import open_store
from auditd.store.store import Store

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Server:
    """Answers every request with `status` and `body`, and notes what it was asked."""

    url: str
    status: int = 200
    body: bytes = b"{}"
    asked: list[tuple[str, Any]] = field(default_factory=list)
    """`METHOD /path` and the JSON of the body."""


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            known.asked.append((f"{self.command} {self.path}", json.loads(content)))
            self.send_response(known.status)
            self.send_header("Content-Length", str(len(known.body)))
            self.end_headers()
            self.wfile.write(known.body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 -- the server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        known = Server(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield known
        listening.shutdown()
        thread.join()


@dataclass(frozen=True)
class Site:
    """A configuration and its state, in a directory of their own."""

    file: Path
    state: Path

    def run(self, *arguments: str) -> Result:
        """Run a command with this configuration."""
        return CliRunner(env={"COLUMNS": None}).invoke(
            main, [*arguments[:2], f"--config.file={self.file}", *arguments[2:]]
        )

    def configure(self, *hooks: dict[str, Any]) -> None:
        """Write the configuration anew, with these hooks."""
        alerting = {"route": {"hook": hooks[0]["name"]}, "hooks": list(hooks)} if hooks else None
        content = {
            "credentials": [
                {
                    "name": "keys",
                    "type": "aksk",
                    "access_key": "AKFAKEEXAMPLE0000001",
                    "secret_key": "SkFakeExample/0000000000000000000+Key=",
                }
            ],
            "projects": [
                {
                    "name": "payments",
                    "project_id": "0" * 32,
                    "region": "cn-north-4",
                    "credential": "keys",
                }
            ],
            "storage": {"url": f"sqlite:///{self.state}"},
            **({"alerting": alerting} if alerting else {}),
        }
        self.file.touch(mode=0o600)
        self.file.write_text(yaml.safe_dump(content))

    def fill(self, work: Callable[[Store], Awaitable[None]]) -> None:
        """Let `work` write the state, and let go of it."""
        asyncio.run(self._fill(work))

    async def _fill(self, work: Callable[[Store], Awaitable[None]]) -> None:
        url = f"sqlite:///{self.state}"
        async with open_store(url, now=now, retention=timedelta(days=400)) as store:
            await work(store)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "auditd.yaml", tmp_path / "state.db")
    site.configure()
    return site
