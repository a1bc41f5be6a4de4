"""What a scrape takes, against others that serve as many series and do nothing else.

It reads with curl, so that the reader costs nearly nothing.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from statistics import median

from benchmarks.daemon_process import daemon, free_port
from benchmarks.fixture import made
from benchmarks.result import Bar, Row, Scale, SkippedError, at_least, command
from benchmarks.scrape_servers import go_exporter
from benchmarks.servers import nginx

_CURL = ("curl", "--silent", "--show-error", "--fail", "--output", "/dev/null")
_RETRIES = ("--retry-connrefused", "--retry", "60", "--retry-delay", "1")
_ENCODINGS = {"identity": "plain", "gzip": "gzip"}
_BARS = {"identity": at_least(18), "gzip": at_least(150)}
_SERIES_EACH = 8
"""Of one authorization that is not verified."""
_OURS, _PYTHON, _VEC, _CONST = "ours", "prometheus_client", "client_golang", "its const metrics"


@dataclass(frozen=True, slots=True)
class Server:
    """One that serves, and of each encoding the milliseconds of its scrapes."""

    port: int
    took: dict[str, list[float]] = field(default_factory=lambda: {one: [] for one in _ENCODINGS})

    def scrape(self, encoding: str) -> None:
        """Read all of it once."""
        told = subprocess.run(  # noqa: S603 - ours
            [*curl(self.port, encoding), "--write-out", "%{time_total}"],
            check=True,
            capture_output=True,
            text=True,
        )
        self.took[encoding].append(float(told.stdout) * 1000)


def curl(port: int, encoding: str, *, path: str = "/metrics") -> list[str]:
    """What scrapes once, or as often as a range in the path says, on one connection."""
    url = f"http://127.0.0.1:{port}{path}"
    return [*_CURL, *_RETRIES, "--header", f"Accept-Encoding: {encoding}", url]


def measure(scale: Scale) -> Iterator[Row]:
    """Scrapes of the whole daemon, which polls every 30 s meanwhile."""
    if which("curl") is None:
        msg = "there is no curl to scrape with; as root: apt-get install curl"
        raise SkippedError(msg)
    for series in scale.pick((100_000, 400_000), (8_000,)):
        yield from _measure(series, rounds=scale.pick(7, 1), is_short=scale.is_short)


def _measure(series: int, *, rounds: int, is_short: bool) -> Iterator[Row]:
    projects = series // _SERIES_EACH // 100
    with ExitStack() as opened:
        fixture = opened.enter_context(made(projects=projects))
        served = opened.enter_context(nginx(fixture))
        running = opened.enter_context(
            daemon(fixture.home / "d", fixture.ids, served.url, interval="30s")
        )
        running.seconds_until_complete(projects * fixture.authorizations)
        python = (sys.executable, "-m", "benchmarks.scrape_servers", running.url("/metrics"))
        servers = {
            _OURS: Server(running.port),
            _PYTHON: Server(opened.enter_context(_serving(python))),
        }
        if not is_short:  # it takes a while to build
            with suppress(SkippedError):  # the row says so
                servers |= _go_servers(opened, go_exporter(fixture.home), series)
        _scrape_in_turn(servers, rounds)
    for encoding, bar in _BARS.items():
        yield _row(series, encoding, servers, bar)


def _go_servers(opened: ExitStack, program: Path, series: int) -> dict[str, Server]:
    servers = {}
    for kind, name in (("vec", _VEC), ("const", _CONST)):
        port = free_port()
        go = (str(program), str(port), str(series), kind)
        servers[name] = Server(opened.enter_context(_serving(go, port)))
    return servers


def _scrape_in_turn(servers: Mapping[str, Server], rounds: int) -> None:
    for turn in range(rounds + 1):
        for server in servers.values():
            for encoding in _ENCODINGS:
                server.scrape(encoding)
        if not turn:  # the first scrape of each fills caches
            for server in servers.values():
                for took in server.took.values():
                    took.clear()


def _row(series: int, encoding: str, servers: Mapping[str, Server], bar: Bar) -> Row:
    took = {name: median(server.took[encoding]) for name, server in servers.items()}
    peer = _VEC if _VEC in took else _PYTHON
    beside = ", ".join(f"{name} {ms:,.1f} ms" for name, ms in took.items())
    return Row(
        f"a scrape of {series:,} series, {_ENCODINGS[encoding]}, faster than {peer}",
        took[peer] / took[_OURS],
        " x",
        bar if peer == _VEC else None,
        beside if peer == _VEC else f"{beside}; without client_golang",
    )


@contextmanager
def _serving(program: Sequence[str], port: int | None = None) -> Iterator[int]:
    """Its port, which it tells unless that is given."""
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            yield int(process.stdout.readline()) if port is None and process.stdout else port or 0
        finally:
            process.kill()


main = command(measure)

if __name__ == "__main__":
    main()
