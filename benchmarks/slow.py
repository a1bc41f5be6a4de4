"""How near a cycle comes to what a slow server allows."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import signal
from collections.abc import Iterator
from statistics import median
from time import sleep, time

from benchmarks.daemon_process import Daemon, daemon
from benchmarks.fixture import made
from benchmarks.peers import Kind, read_all
from benchmarks.result import Row, Scale, at_least, at_most, command
from benchmarks.servers import Served, slow

_LATENCY_SECONDS = 0.05
_AT_ONCE = 128


def measure(scale: Scale) -> Iterator[Row]:
    """One cycle against a server that takes 50 ms for each answer.

    The daemon spreads its polls, so it is stopped for an interval: then every project is due.
    """
    projects, interval = scale.pick(1000, 40), scale.pick(20, 2)
    cycles: list[float] = []
    peers: dict[Kind, list[float]] = {"loop": [], "threads": []}
    with (
        made(projects=projects) as fixture,
        slow(fixture, _LATENCY_SECONDS) as served,
        daemon(
            fixture.home / "d",
            fixture.ids,
            served.url,
            interval=f"{interval}s",
            concurrency=_AT_ONCE,
        ) as running,
    ):
        first = running.seconds_of_first_polls(projects)
        for _ in range(scale.pick(3, 1)):
            cycles.append(_cycle(running, served, projects, interval))
            for kind, took in peers.items():
                rounds = read_all(kind, fixture, served, rounds=1, at_once=_AT_ONCE)
                took.append(rounds.seconds)
        running.process.terminate()
        sdk = read_all("sdk", fixture, served, rounds=1).seconds
    cycle, least = median(cycles), projects * _LATENCY_SECONDS / _AT_ONCE
    yield Row(
        f"a cycle at 50 ms and {_AT_ONCE} at once, against what latency allows",
        cycle / least,
        " x",
        at_most(1.15),
        f"{cycle:.3f} s, latency allows {least:.3f} s,"
        f" the plain loop takes {median(peers['loop']):.3f} s;"
        f" the first cycle of all, which reads and stores every list, {first:.2f} s;"
        f" {projects:,} projects",
    )
    yield Row(
        "that cycle, faster than the vendor's client",
        sdk / cycle,
        " x",
        at_least(30),
        f"the vendor's client, one list after another, {sdk:.1f} s;"
        f" in {_AT_ONCE} threads {median(peers['threads']):.2f} s",
    )


def _cycle(running: Daemon, served: Served, projects: int, interval: float) -> float:
    """Seconds from when it may go on until as many lists were given as there are projects."""
    running.process.send_signal(signal.SIGSTOP)
    sleep(interval)
    began_at = time()
    running.process.send_signal(signal.SIGCONT)
    sleep(interval / 2)
    while len(later := [at for at in served.answered_at() if at > began_at]) < projects:
        sleep(0.5)
    return later[projects - 1] - began_at


main = command(measure)

if __name__ == "__main__":
    main()
