"""How soon all is seen after a start, and what memory it takes."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median
from time import perf_counter, sleep

from benchmarks.daemon_process import COMPILED, daemon
from benchmarks.fixture import Fixture, made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.servers import Served, nginx

_HELP = (sys.executable, "-m", "auditd", "--help")
_NOTHING = (sys.executable, "-c", "pass")


def measure(scale: Scale) -> Iterator[Row]:
    """From the spawn to a complete /metrics, memory, and the time of --help."""
    projects, rounds = scale.pick(1000, 20), scale.pick(3, 1)
    settling = scale.pick(8, 0)
    seconds, worked, resident, peak, empty = [], [], [], [], []
    with made(projects=projects) as fixture, nginx(fixture) as served:
        listed = projects * fixture.authorizations
        for turn in range(rounds):
            empty.append(_empty_mb(fixture, served, turn, settling))
            home, are_given = fixture.home / f"d{turn}", _all_lists(served, projects)
            with daemon(home, fixture.ids, served.url, interval="5s") as running:
                seconds.append(running.seconds_until_complete(listed, are_given))
                worked.append(running.cpu_seconds())
                sleep(2 * settling)
                resident.append(running.memory_mb())
                peak.append(running.memory_mb("VmHWM"))
    yield Row(
        "from the spawn to a complete /metrics",
        median(seconds),
        " s",
        at_most(1.3),
        f"{listed:,} authorizations in {8 * listed:,} series, read gzipped from outside;"
        f" {median(worked):.2f} s of CPU until it is ready, that scrape included",
    )
    yield from _memory(listed, median(empty), median(resident), median(peak))
    yield from _help(scale)


def _all_lists(served: Served, projects: int) -> Callable[[], bool]:
    """Whether so many lists were given from now on. Who asks the daemon delays it."""
    begun, asked = served.answered(), count(1)
    return lambda: served.answered() - begun - next(asked) >= projects


def _memory(listed: int, empty: float, resident: float, peak: float) -> Iterator[Row]:
    over = resident - empty
    yield Row(
        "memory over an empty daemon",
        over,
        " MB",
        at_most(60),
        f"{resident:.0f} MB, with one project {empty:.0f} MB",
    )
    yield Row("that, for each authorization", over * 1e6 / listed, " B", at_most(450))
    yield Row(
        "the most memory it ever had, against that",
        peak / resident,
        " x",
        at_most(1.3),
        f"{peak:.0f} MB",
    )


def _empty_mb(fixture: Fixture, served: Served, turn: int, settling: float) -> float:
    """Of a daemon with a single list: the smallest fleet there is."""
    with daemon(
        fixture.home / f"empty{turn}", fixture.ids[:1], served.url, interval="5s"
    ) as running:
        running.wait_until(running.is_ready)
        running.scrape()
        sleep(settling)
        return running.memory_mb()


def _help(scale: Scale) -> Iterator[Row]:
    took: dict[tuple[str, ...], list[float]] = {_HELP: [], _NOTHING: []}
    for _ in range(scale.pick(15, 2)):
        for program, each in took.items():
            began = perf_counter()
            subprocess.run(program, check=True, stdout=subprocess.DEVNULL, env=COMPILED)  # noqa: S603 - ours
            each.append((perf_counter() - began) * 1000)
    bare = f"Python alone {median(took[_NOTHING]):.0f} ms"
    yield Row("--help", median(took[_HELP]), " ms", at_most(150), bare)


main = command(measure)

if __name__ == "__main__":
    main()
