"""How long a health probe waits while scrapers read."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from time import perf_counter, sleep

from benchmarks.daemon_process import daemon
from benchmarks.fixture import made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.scrapes import curl
from benchmarks.servers import nginx

_SCRAPERS = 4
_PROBE_EVERY_SECONDS = 0.002
_QUIET_PROBES = 500
_START_SECONDS = 0.1
"""By then the scrapers have been loaded."""


def measure(scale: Scale) -> Iterator[Row]:
    """The slowest health probe while four scrapers read all of /metrics at once."""
    for projects in scale.pick((500, 10_000), (10,)):
        with (
            made(projects=projects) as fixture,
            nginx(fixture) as served,
            daemon(fixture.home / "d", fixture.ids, served.url, interval="30s") as running,
            daemon(fixture.home / "idle", fixture.ids[:1], served.url, interval="1h") as idle,
        ):
            listed = projects * fixture.authorizations
            complete = running.seconds_until_complete(listed)
            sleep(scale.pick(10, 1))
            quiet = max(_probe(running.port) for _ in range(_QUIET_PROBES))
            memory = running.memory_mb()
            for encoding in ("identity", "gzip"):
                rounds = scale.pick(max(5, 25_000 // projects), 1)
                took, beside = _probes(running.port, encoding, rounds, beside=idle.port)
                yield Row(
                    f"the slowest probe during four scrapes, {listed:,} authorizations, {encoding}",
                    took[-1],
                    " ms",
                    at_most(10),
                    f"99 % within {took[len(took) * 99 // 100]:.1f} ms, half within"
                    f" {took[len(took) // 2]:.1f} ms of {len(took)}; the slowest of another daemon,"
                    f" which only waits for a processor, {beside[-1]:.1f} ms; the slowest without a"
                    f" scrape {quiet:.1f} ms; {8 * listed:,} series, complete after"
                    f" {complete:.1f} s, {memory:.0f} MB",
                )


def _probes(
    port: int, encoding: str, rounds: int, *, beside: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of the port that is scraped and of the one beside it, in ascending order.

    Each scraper is one process, as Prometheus is: to start four takes both cores for a while.
    """
    took, took_beside = list[float](), list[float]()
    command = curl(port, encoding, path=f"/metrics?round=[1-{rounds}]")
    scrapers = [subprocess.Popen(command) for _ in range(_SCRAPERS)]  # noqa: S603 - ours
    sleep(_START_SECONDS)
    is_over = False
    while not is_over:
        is_over = all(scraper.poll() is not None for scraper in scrapers)
        for each, times in ((port, took), (beside, took_beside)):
            times.append(_probe(each))
            sleep(_PROBE_EVERY_SECONDS)
    return sorted(took), sorted(took_beside)


def _probe(port: int) -> float:
    began_at = perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while connection.recv(4096):
            pass
    return (perf_counter() - began_at) * 1000


main = command(measure)

if __name__ == "__main__":
    main()
