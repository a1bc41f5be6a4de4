"""What a fleet costs while nothing happens, and whether polls come at the promised rate."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter, sleep

from benchmarks.daemon_process import daemon
from benchmarks.fixture import made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.servers import nginx

_AUTHORIZATIONS = 10
"""In each project: what is measured does not depend on it, and the lists of 10,000 are small."""


def measure(scale: Scale) -> Iterator[Row]:
    """Fleets of several sizes, every 30 s, and one of which nothing is due."""
    interval = scale.pick(30, 2)
    sizes = scale.pick((100, 1_000, 10_000), (20, 40))
    costs = {}
    for projects in sizes:
        cpu_percent, polls, costs[projects] = _watched(
            projects, interval, seconds=scale.pick(2, 1) * interval, settling=scale.pick(10, 1)
        )
        if projects == sizes[1]:
            told = f"{costs[projects]:.0f} us a poll"
            what = f"idle: {projects:,} projects every {interval} s"
            yield Row(what, cpu_percent, " % of a core", at_most(1), told)
    due = scale.pick(2, 1) * sizes[-1]
    yield Row(
        f"{sizes[-1]:,} projects every {interval} s: polls off the promised rate",
        abs(polls / due - 1) * 100,
        " %",
        at_most(1),
        f"{polls:,} polls of {due:,} due, {cpu_percent:.1f} % of a core",
    )
    told = ", ".join(f"{size:,}: {cost:.0f} us" for size, cost in costs.items())
    ratio = costs[sizes[-1]] / costs[sizes[0]]
    what = f"CPU of a poll at {sizes[-1]:,} projects, against {sizes[0]:,}"
    yield Row(what, ratio, " x", at_most(1.1), told)
    cpu_percent, *_ = _watched(
        sizes[0], 3600, seconds=scale.pick(60, 2), settling=scale.pick(20, 1)
    )
    yield Row("nothing due", cpu_percent, " % of a core", at_most(0.05), f"{sizes[0]:,} projects")


def _watched(
    projects: int, interval: int, *, seconds: float, settling: float
) -> tuple[float, int, float]:
    """Percent of a core, polls, and microseconds of processor time for each poll."""
    with (
        made(projects=projects, authorizations=_AUTHORIZATIONS) as fixture,
        nginx(fixture) as served,
        daemon(fixture.home / "d", fixture.ids, served.url, interval=f"{interval}s") as running,
    ):
        running.seconds_until_complete(projects * _AUTHORIZATIONS)
        sleep(settling)  # the start is left behind
        began, worked, before = perf_counter(), running.cpu_seconds(), served.answered()
        sleep(seconds)
        worked, polls = running.cpu_seconds() - worked, served.answered() - before - 1
        percent = worked / (perf_counter() - began) * 100
    return percent, polls, worked / max(1, polls) * 1e6


main = command(measure)

if __name__ == "__main__":
    main()
