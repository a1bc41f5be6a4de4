"""One daemon as a process of its own, and what can be seen of it from outside."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from time import clock_gettime, perf_counter, sleep
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

_CONFIG = """
global: {{poll_interval: {interval}, poll_timeout: {interval}, requests_per_second: 100000,
          concurrency: {concurrency}, max_series: 100000000}}
storage: {{url: "sqlite:///{home}/state.db"}}
credentials: [{{name: fixed, type: token, token: token}}]
projects:
"""
_PROJECT = (
    "  - {{name: project-{number:05}, project_id: {id}, region: cn-north-4, credential: fixed,"
    ' endpoint: "{url}"}}\n'
)
_POLLED = '"event": "poll.finished"'
_LISTED = b"servicestage_git_authorization_updated_timestamp_seconds{"
_LOOK_SECONDS = 0.05
"""Each look costs a daemon that is starting a millisecond of its processor time."""
_SAID_AT_MOST = 2000
_AUDITD = (sys.executable, "-m", "auditd")
COMPILED = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
"""An environment in which Python keeps what it has compiled, as an installation does."""


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that runs."""

    process: subprocess.Popen[bytes]
    port: int
    spawned_at: float
    home: Path

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far.

        Source: clock_getcpuclockid(3) and its source in glibc: how Linux numbers the clocks.
        """
        return clock_gettime(~self.process.pid << 3 | 2)

    def memory_mb(self, key: str = "VmRSS") -> float:
        """Its memory now; with `VmHWM` the most that it ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (line,) = [line for line in status.splitlines() if line.startswith(f"{key}:")]
        return int(line.split()[1]) / 1000

    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def url(self, path: str) -> str:
        """Of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    def scrape(self) -> bytes:
        """All of /metrics, as a scraper asks for it: compressed."""
        asked = Request(self.url("/metrics"), headers={"Accept-Encoding": "gzip"})  # noqa: S310 - ours
        with urlopen(asked, timeout=60) as answer:  # noqa: S310 - ours
            body: bytes = answer.read()
            return body

    def metrics(self) -> bytes:
        """All of /metrics as text."""
        return gzip.decompress(self.scrape())

    def seconds_until_complete(
        self, authorizations: int, is_worthwhile: Callable[[], bool] | None = None
    ) -> float:
        """From the spawn until that many authorizations have been read from /metrics.

        It is scraped from when that `is_worthwhile`, by default from when it is ready, which it
        is in any case when this returns.
        """
        while True:
            self.wait_until(is_worthwhile or self.is_ready)
            body = self.scrape()
            seconds = perf_counter() - self.spawned_at
            if _listed(body) >= authorizations:
                self.wait_until(self.is_ready)
                return seconds

    def is_ready(self) -> bool:
        """Whether every project was tried."""
        try:
            urlopen(self.url("/-/ready"), timeout=30).close()  # noqa: S310 - ours
        except (HTTPError, URLError, ConnectionError):
            return False
        return True

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Look until it is so. Ends everything when the daemon has ended."""
        while not is_so():
            if self.process.poll() is not None:
                said = (self.home / "log.json").read_text(encoding="utf-8")[-_SAID_AT_MOST:]
                sys.exit(f"the daemon ended; it last said:\n{said}")
            sleep(_LOOK_SECONDS)

    def seconds_of_first_polls(self, projects: int) -> float:
        """From when the first could begin to when the last ended, as the daemon's log tells."""
        log = self.home / "log.json"
        while (text := log.read_text(encoding="utf-8")).count(_POLLED) < projects:
            sleep(0.1)
        lines = [json.loads(line) for line in text.splitlines() if _POLLED in line]
        ended = [datetime.fromisoformat(line["timestamp"]) for line in lines]
        first = min(
            at - timedelta(seconds=line["duration_seconds"] + line["lag_seconds"])
            for at, line in zip(ended, lines, strict=True)
        )
        return (max(ended) - first).total_seconds()


@contextmanager
def daemon(
    home: Path,
    ids: Sequence[str],
    url: str,
    *,
    interval: str,
    concurrency: int = 32,
    command: Sequence[str] = _AUDITD,
    more: str = "",
) -> Iterator[Daemon]:
    """One with its state in `home`, polling `ids` at `url`; `more` ends its configuration."""
    home.mkdir()
    config = home / "config.yaml"
    projects = (
        _PROJECT.format(number=number, id=project_id, url=url)
        for number, project_id in enumerate(ids)
    )
    head = _CONFIG.format(interval=interval, concurrency=concurrency, home=home)
    config.write_text(head + "".join(projects) + more, encoding="utf-8")
    port = free_port()
    options = ("run", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}")
    with (home / "log.json").open("wb") as log:
        spawned_at = perf_counter()
        with subprocess.Popen([*command, *options], stderr=log, env=COMPILED) as process:  # noqa: S603 - ours
            try:
                yield Daemon(process, port, spawned_at, home)
            finally:
                process.terminate()


def _listed(body: bytes) -> int:
    """How many authorizations a compressed scrape has; a million of them are 1 GB of text."""
    with gzip.open(BytesIO(body)) as lines:
        return sum(line.startswith(_LISTED) for line in lines)


def free_port() -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
