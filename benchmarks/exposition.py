"""Times scrapes over HTTP, and prints what came out as Markdown.

All is measured in one run, round-robin, so that ratios hold on a noisy machine. It needs curl:

    python benchmarks/exposition.py [--series=100000] [--go=./go_exporter] [--rounds=5]

Against prometheus_client with the same series, and against client_golang with as many (see
go_exporter/main.go for how to build it). Also the slowest health probe during four scrapes.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import clock_gettime, perf_counter, sleep

import click

_SERVERS = Path(__file__).with_name("exposition_servers.py")
_CURL = ("curl", "--silent", "--show-error", "--fail", "--output", "/dev/null")
_CURL_RETRIES = ("--retry-connrefused", "--retry", "20", "--retry-delay", "1")
_ENCODINGS = ("identity", "gzip")
_SCRAPERS = 4
_PROBE_EVERY_SECONDS = 0.002
_IDLE_PROBES = 300


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs; of each encoding the milliseconds of its scrapes, and their bytes."""

    name: str
    port: int
    process: subprocess.Popen[str]
    took: dict[str, list[float]] = field(default_factory=lambda: {one: [] for one in _ENCODINGS})
    worked: dict[str, list[float]] = field(default_factory=lambda: {one: [] for one in _ENCODINGS})
    """Milliseconds of processor time likewise, which other work on the machine hardly changes."""
    size: dict[str, int] = field(default_factory=dict)

    def command(self, encoding: str) -> list[str]:
        """What scrapes it once."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        return [*_CURL, *_CURL_RETRIES, "--header", f"Accept-Encoding: {encoding}", url]

    def scrape(self, encoding: str) -> None:
        """Read all of it once."""
        command = [*self.command(encoding), "--write-out", "%{time_total} %{size_download}"]
        worked = self._worked()
        told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
        seconds, size = told.stdout.split()
        self.took[encoding].append(float(seconds) * 1000)
        self.worked[encoding].append(self._worked() - worked)
        self.size[encoding] = int(size)

    def forget(self) -> None:
        """Count only what comes from here on."""
        for took in (*self.took.values(), *self.worked.values()):
            took.clear()

    def _worked(self) -> float:
        """Source: clock_getcpuclockid(3) and its source in glibc: how Linux numbers the clocks."""
        return clock_gettime(~self.process.pid << 3 | 2) * 1000

    def resident_mb(self) -> float:
        """Its memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1000

    def probes(self, encoding: str, rounds: int) -> list[float]:
        """Milliseconds of each health probe while four scrapers read at once."""
        took = []
        for _ in range(rounds):
            scrapers = [subprocess.Popen(self.command(encoding)) for _ in range(_SCRAPERS)]  # noqa: S603 - ours
            while any(scraper.poll() is None for scraper in scrapers):
                took.append(self._probe())
                sleep(_PROBE_EVERY_SECONDS)
        return took

    def idle_probes(self) -> list[float]:
        """The same while nobody scrapes: what the machine itself adds."""
        took = []
        for _ in range(_IDLE_PROBES):
            took.append(self._probe())
            sleep(_PROBE_EVERY_SECONDS)
        return took

    def _probe(self) -> float:
        began_at = perf_counter()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while connection.recv(4096):
                pass
        return (perf_counter() - began_at) * 1000


@contextmanager
def running(name: str, command: Sequence[str], port: int | None = None) -> Iterator[Server]:
    """Start a server, which tells its port unless that is given."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            if port is None:
                port = int(process.stdout.readline()) if process.stdout else 0
            yield Server(name, port, process)
        finally:
            process.kill()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def start_all(opened: ExitStack, series: int, go: str | None) -> list[Server]:
    """Ours first."""
    python = [sys.executable, str(_SERVERS)]
    commands: list[tuple[str, list[str], int | None]] = [
        ("servicestage-auditd", [*python, "auditd", str(series)], None),
        ("prometheus_client", [*python, "client_python", str(series)], None),
    ]
    for kind in ("vec", "const") if go else ():
        port = free_port()
        commands.append((f"client_golang, {kind}", [str(go), str(port), str(series), kind], port))
    return [opened.enter_context(running(*command)) for command in commands]


def report(series: int, servers: Sequence[Server], rounds: int) -> Iterator[str]:
    """Lines of Markdown."""
    ours = servers[0]
    yield f"### {series:,} series"
    yield ""
    columns = "ms | against ours | processor ms | against ours | MB |"
    yield f"| | plain: {columns} gzip: {columns} resident MB |"
    yield f"|---|{'---|' * 11}"
    for server in servers:
        cells = [server.name]
        for encoding in _ENCODINGS:
            for mine, theirs in ((server.took, ours.took), (server.worked, ours.worked)):
                took = median(mine[encoding])
                cells += [f"{took:.1f}", f"{took / median(theirs[encoding]):.1f}x"]
            cells.append(f"{server.size[encoding] / 1e6:.1f}")
        yield f"| {' | '.join(cells)} | {server.resident_mb():.0f} |"
    yield ""
    for server in servers[1:]:
        server.process.kill()  # so that only ours is at work
    yield _told("Health probes while nobody scrapes", ours.idle_probes())
    for encoding in _ENCODINGS:
        probes = ours.probes(encoding, rounds)
        yield _told(f"Health probes during four scrapes at once, {encoding}", probes)
    yield ""


def _told(what: str, took: Sequence[float]) -> str:
    ordered = sorted(took)
    nearly_all = ordered[len(ordered) * 99 // 100]
    return (
        f"- {what}: median {median(ordered):.1f}, 99 % {nearly_all:.1f}, slowest "
        f"{ordered[-1]:.1f} ms, of {len(ordered)}"
    )


@click.command()
@click.option("--series", type=int, multiple=True, default=(100_000, 400_000), show_default=True)
@click.option("--rounds", type=int, default=5, show_default=True)
@click.option("--go", type=click.Path(exists=True, dir_okay=False, resolve_path=True))
def main(series: Sequence[int], rounds: int, go: str | None) -> None:
    """Measure and print."""
    now = datetime.now(UTC)
    click.echo(f"{now:%Y-%m-%d}, Python {platform.python_version()}, {platform.platform()}\n")
    for count in series:
        with ExitStack() as opened:
            servers = start_all(opened, count, go)
            for server in servers:  # the first scrape of each fills caches, and is not counted
                server.scrape("gzip")
                server.forget()
            for _ in range(rounds):
                for server in servers:
                    for encoding in _ENCODINGS:
                        server.scrape(encoding)
            for line in report(count, servers, rounds):
                click.echo(line)


if __name__ == "__main__":
    main()
