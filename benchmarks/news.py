"""How soon a change in the cloud is in /metrics."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median
from time import perf_counter, sleep

from benchmarks.daemon_process import Daemon, daemon
from benchmarks.fixture import made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.servers import nginx

_LOOK_SECONDS = 0.05
_OVERDUE = re.compile(
    rb'^servicestage_git_authorizations\{project="(.*?)",status="overdue"\} (\d+)', re.MULTILINE
)


def measure(scale: Scale) -> Iterator[Row]:
    """From a change of every list, all at once, to the series of each project, at 5 s."""
    projects, interval = scale.pick(200, 20), scale.pick(5, 1)
    delays: list[float] = []
    with (
        made(projects=projects, authorizations=20, is_changing=True) as fixture,
        nginx(fixture) as served,
        daemon(fixture.home / "d", fixture.ids, served.url, interval=f"{interval}s") as running,
    ):
        running.seconds_until_complete(projects * fixture.authorizations)
        for turn in range(scale.pick(6, 1)):
            sleep(interval * (1 + turn / 6))  # not always at the same place of the interval
            before = _overdue(running)
            fixture.serve("same" if turn % 2 else "all")
            delays += _delays(running, before)
    load = f"{projects} projects every {interval} s, {len(delays):,} changes"
    what = "from a change in the cloud to its series"
    yield Row(f"{what}, half of them", median(delays), " s", at_most(0.6 * interval), load)
    yield Row(f"{what}, the slowest", max(delays), " s", at_most(1.2 * interval))


def _delays(running: Daemon, before: dict[bytes, bytes]) -> list[float]:
    """Seconds until each project has another number of overdue authorizations."""
    began, waiting, delays = perf_counter(), set(before), []
    while waiting:
        now = _overdue(running)
        seen = {project for project in waiting if now[project] != before[project]}
        delays += [perf_counter() - began] * len(seen)
        waiting -= seen
        sleep(_LOOK_SECONDS)
    return delays


def _overdue(running: Daemon) -> dict[bytes, bytes]:
    return dict(_OVERDUE.findall(running.metrics()))


main = command(measure)

if __name__ == "__main__":
    main()
