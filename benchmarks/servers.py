"""Servers of a fixture's lists.

nginx serves them faster than anybody reads, so that what is measured is the reader. The slow
server takes its time for each answer and is no measure of throughput.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from time import sleep, time
from urllib.error import URLError
from urllib.request import urlopen

from aiohttp import web

from benchmarks.daemon_process import free_port
from benchmarks.fixture import Fixture
from benchmarks.result import SkippedError

_NGINX = """
worker_processes 1; pid {run}/nginx.pid; error_log {run}/error.log warn; daemon off;
events {{ worker_connections 8192; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_timeout 3600s; etag off;
  keepalive_requests 1000000000; if_modified_since off; server_tokens off;
  client_body_temp_path {run}/b; proxy_temp_path {run}/p; fastcgi_temp_path {run}/f;
  uwsgi_temp_path {run}/u; scgi_temp_path {run}/s;
  types {{ }} default_type "application/json; charset=utf-8";
  server {{
    listen 127.0.0.1:{port} backlog=4096; root {root};
    location = /count {{ stub_status; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """Where lists are served."""

    port: int

    @property
    def url(self) -> str:
        """The endpoint for the daemon and its peers."""
        return f"http://127.0.0.1:{self.port}"

    def answered(self) -> int:
        """How many requests nginx has answered so far, this one included."""
        with urlopen(f"{self.url}/count", timeout=5) as answer:  # noqa: S310 - our own server
            return int(answer.read().split()[9])

    def answered_at(self) -> list[float]:
        """When the slow server gave each of its answers, in seconds since the epoch."""
        with urlopen(f"{self.url}/count", timeout=5) as answer:  # noqa: S310 - our own server
            times: list[float] = json.load(answer)
            return times


@contextmanager
def nginx(fixture: Fixture) -> Iterator[Served]:
    """Serve as fast as can be.

    Raises:
        SkippedError: there is no nginx.
    """
    program = which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        msg = "there is no nginx to serve the lists; as root: apt-get install nginx-light"
        raise SkippedError(msg)
    served, run = Served(free_port()), fixture.home / "nginx"
    run.mkdir()
    fixture.home.chmod(0o755)  # its worker is somebody else when we are root
    config = run / "nginx.conf"
    text = _NGINX.format(run=run, port=served.port, root=fixture.root)
    config.write_text(text, encoding="utf-8")
    with _running([program, "-c", str(config), "-e", str(run / "error.log")], served):
        yield served


@contextmanager
def slow(fixture: Fixture, delay_seconds: float) -> Iterator[Served]:
    """Serve from memory, each answer after a delay."""
    served = Served(free_port())
    arguments = (str(fixture.root), str(served.port), str(delay_seconds))
    with _running([sys.executable, "-m", "benchmarks.servers", *arguments], served):
        yield served


@contextmanager
def _running(command: list[str], served: Served) -> Iterator[None]:
    with subprocess.Popen(command) as process:  # noqa: S603 - ours
        try:
            _await(process, f"{served.url}/count")
            yield
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    while True:
        try:
            urlopen(url, timeout=5).close()  # noqa: S310 - our own server
        except (URLError, ConnectionError):
            if process.poll() is not None:
                sys.exit(f"a server ended before it answered: {process.args!r}")
            sleep(0.05)
        else:
            return


def _serve_slowly(root: Path, port: int, delay_seconds: float) -> None:
    bodies = {path.parts[-3]: path.read_bytes() for path in root.glob("v1/*/git/auths")}
    answered: list[float] = []

    async def give(request: web.Request) -> web.Response:
        await asyncio.sleep(delay_seconds)
        answered.append(time())
        return web.Response(
            body=bodies[request.match_info["project"]], content_type="application/json"
        )

    async def tell(_: web.Request) -> web.Response:
        return web.json_response(answered)

    application = web.Application()
    application.router.add_get("/v1/{project}/git/auths", give)
    application.router.add_get("/count", tell)
    web.run_app(application, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    _serve_slowly(Path(sys.argv[1]).resolve(), int(sys.argv[2]), float(sys.argv[3]))
