"""Times polls of daemons that share a PostgreSQL, and prints what came out as Markdown.

The same number of lists a second is asked for with few and with many projects, so that what grows
with the fleet shows. It needs PostgreSQL and nginx (`apt-get install postgresql nginx-light`) and
the extra `postgres` of ours:

    python -m benchmarks.replicas [--replicas=3] [--authorizations=20] [--plot=FILE.svg]

The server and the lists are on the same machine; the server does not wait for the disk. What is
timed begins once every replica knows every project, and the polls are made up for that came due
meanwhile.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import clock_gettime, monotonic, perf_counter, sleep

import click

from benchmarks.daemon_process import Daemon, free_port
from benchmarks.fixture import Fixture, made
from benchmarks.machine import description
from benchmarks.replicas_plot import Point, draw
from benchmarks.servers import Served, nginx
from tests.postgres import PostgresServer, installed_postgres, private_server

_SIZES = ((100, 1), (1000, 10), (10_000, 60))
"""Projects, and the seconds between polls of each."""
_LONGEST_START_SECONDS = 1800
_LOOK_SECONDS = 0.5
_SETTLED_SHARE = 1.1
"""Of the polls due: while more are made, those are made up for that came due during the first."""
_CONFIG = """
global: {{poll_interval: {interval}s, poll_timeout: 1s, requests_per_second: 100000}}
storage: {{url: "{storage}"}}
credentials: [{{name: fixed, type: token, token: token}}]
projects:
"""
_PROJECT = (
    "  - {{name: project-{number:05}, project_id: {id}, region: cn-north-4, credential: fixed,"
    ' endpoint: "{url}"}}\n'
)


@dataclass(frozen=True, slots=True)
class Group:
    """Daemons that share a database."""

    daemons: Sequence[Daemon]
    server: PostgresServer

    def cpu_seconds(self) -> float:
        """Of all daemons so far."""
        return sum(daemon.cpu_seconds() for daemon in self.daemons)

    def server_cpu_seconds(self) -> float:
        """Of the server and all that it started and that is still there, so far."""
        pid = int((self.server.directory / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        return sum(clock_gettime(~each << 3 | 2) for each in (pid, *map(int, children)))


@contextmanager
def _group(
    home: Path, fixture: Fixture, served: Served, interval: int, replicas: int
) -> Iterator[Group]:
    binaries = installed_postgres() or sys.exit("there is no PostgreSQL here; see --help")
    with ExitStack() as opened:
        server = opened.enter_context(private_server(binaries, autovacuum="on"))
        config = home / "config.yaml"
        projects = (
            _PROJECT.format(number=number, id=project_id, url=served.url)
            for number, project_id in enumerate(fixture.ids)
        )
        head = _CONFIG.format(interval=interval, storage=server.url)
        config.touch(mode=0o600)
        config.write_text(head + "".join(projects), encoding="utf-8")
        daemons = [opened.enter_context(_daemon(home / f"{it}", config)) for it in range(replicas)]
        yield Group(daemons, server)


@contextmanager
def _daemon(home: Path, config: Path) -> Iterator[Daemon]:
    home.mkdir()
    port = free_port()
    command = [
        *(sys.executable, "-m", "auditd", "run", f"--config.file={config}"),
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (home / "log.json").open("wb") as log:
        spawned_at = perf_counter()
        with subprocess.Popen(command, stderr=log) as process:  # noqa: S603 - ours
            try:
                yield Daemon(process, port, spawned_at, home)
            finally:
                process.terminate()


def _measure(fixture: Fixture, served: Served, interval: int, replicas: int) -> Point:
    projects = len(fixture.ids)
    with (
        TemporaryDirectory(dir=fixture.home) as home,
        _group(Path(home), fixture, served, interval, replicas) as group,
    ):
        first_seconds = _seconds_until_ready(group)
        while _rate(served, seconds=5.0) > _SETTLED_SHARE * projects / interval:
            _give_up_late(group)
        window = max(interval, 20)
        began = served.answered(), group.cpu_seconds(), group.server_cpu_seconds(), monotonic()
        sleep(window)
        polls = served.answered() - began[0] - 1
        return Point(
            projects=projects,
            interval_seconds=interval,
            first_seconds=first_seconds,
            polls_share=polls / (projects / interval * (monotonic() - began[3])),
            daemons_us=(group.cpu_seconds() - began[1]) / polls * 1e6,
            server_us=(group.server_cpu_seconds() - began[2]) / polls * 1e6,
            memory_mb=max(daemon.memory_mb() for daemon in group.daemons),
        )


def _seconds_until_ready(group: Group) -> float:
    """From the first spawn until each of them knows every project."""
    for daemon in group.daemons:
        while not daemon.is_ready():
            _give_up_late(group)
            sleep(_LOOK_SECONDS)
    return perf_counter() - group.daemons[0].spawned_at


def _give_up_late(group: Group) -> None:
    """Exit with what a daemon said last if one has ended, or all have had the time for it."""
    is_late = perf_counter() - group.daemons[0].spawned_at > _LONGEST_START_SECONDS
    for daemon in group.daemons:
        if is_late or daemon.process.poll() is not None:
            sys.exit((daemon.home / "log.json").read_text(encoding="utf-8")[-2000:])


def _rate(served: Served, *, seconds: float) -> float:
    """Polls a second, over so long from now."""
    before, began_at = served.answered(), monotonic()
    sleep(seconds)
    return (served.answered() - before - 1) / (monotonic() - began_at)


def _print(points: Sequence[Point], replicas: int, authorizations: int) -> None:
    click.echo(
        f"{description()}\n\n{replicas} replicas, {authorizations} authorizations a project.\n"
    )
    click.echo(
        "| projects | each every | first polls | of the polls due | CPU us a poll, daemons |"
        " PostgreSQL | MB |\n|---|---|---|---|---|---|---|"
    )
    for it in points:
        click.echo(
            f"| {it.projects} | {it.interval_seconds} s | {it.first_seconds:.0f} s |"
            f" {it.polls_share:.1%} | {it.daemons_us:.0f} | {it.server_us:.0f} |"
            f" {it.memory_mb:.0f} |"
        )


@click.command()
@click.option("--replicas", default=3)
@click.option("--authorizations", default=20)
@click.option("--most", default=_SIZES[-1][0], help="The largest fleet that is timed.")
@click.option("--plot", type=click.Path(path_type=Path), help="Where to draw what came out.")
def main(replicas: int, authorizations: int, most: int, plot: Path | None) -> None:
    """Time polls of replicas."""
    points = []
    for projects, interval in _SIZES:
        if projects > most:
            break
        with (
            made(projects=projects, authorizations=authorizations) as fixture,
            nginx(fixture) as served,
        ):
            points.append(_measure(fixture, served, interval, replicas))
        click.echo(points[-1], err=True)
    _print(points, replicas, authorizations)
    if plot:
        plot.write_text(draw(points, replicas), encoding="utf-8")


if __name__ == "__main__":
    main()
