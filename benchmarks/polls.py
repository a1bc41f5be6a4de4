"""What polls cost, in turn with what else one would write to see the same lists."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from time import sleep

from benchmarks.daemon_process import Daemon, daemon
from benchmarks.fixture import Fixture, made
from benchmarks.peers import Kind, read_all
from benchmarks.result import Row, Scale, at_least, at_most, command
from benchmarks.servers import Served, nginx

_PEERS: tuple[Kind, ...] = ("loop", "sdk", "threads")
_CHANGES = {"some": "1 % of the lists changed", "all": "every list changed"}
_BARS = {
    "unchanged lists": (0.6, 16.0),
    "every list changed": (2.2, 5.0),
    "1 % of the lists changed": (0.7, None),
}


def window(running: Daemon, served: Served, seconds: float) -> float:
    """Microseconds of processor time a poll, over some time."""
    worked, polls = running.cpu_seconds(), served.answered()
    sleep(seconds)
    return (running.cpu_seconds() - worked) / max(1, served.answered() - polls - 1) * 1e6


def measure(scale: Scale) -> Iterator[Row]:
    """Processor time of a poll: the whole daemon, its state in SQLite, its usual checks."""
    projects, seconds = scale.pick(1000, 20), scale.pick(5, 1)
    took: dict[str, list[float]] = defaultdict(list)
    with (
        made(projects=projects, is_changing=True) as fixture,
        nginx(fixture) as served,
        daemon(fixture.home / "d", fixture.ids, served.url, interval=f"{seconds}s") as running,
    ):
        running.seconds_until_complete(projects * fixture.authorizations)
        sleep(2 * seconds)
        for _ in range(scale.pick(3, 1)):
            _round(fixture, served, running, seconds, took)
    middle = {what: median(each) for what, each in took.items()}
    load = f"{projects:,} x {fixture.authorizations}, every {seconds} s"
    for what, (of_loop, of_sdk) in _BARS.items():
        yield from _rows(what, load, middle, of_loop, of_sdk)


def _round(
    fixture: Fixture,
    served: Served,
    running: Daemon,
    seconds: float,
    took: dict[str, list[float]],
) -> None:
    for kind in _PEERS:
        rounds = 3 if kind == "loop" else 1
        took[kind].append(read_all(kind, fixture, served, rounds=rounds).cpu_us)
    took["unchanged lists"].append(window(running, served, seconds))
    for generation, what in _CHANGES.items():
        fixture.serve(generation)
        took[what].append(window(running, served, seconds))
        fixture.serve("same")
        sleep(3 * seconds)  # all is as it was before, and has been written


def _rows(
    what: str, load: str, middle: dict[str, float], of_loop: float, of_sdk: float | None
) -> Iterator[Row]:
    cpu_us, loop, sdk, threads = (middle[key] for key in (what, *_PEERS))
    yield Row(
        f"a poll, {what}, against a plain aiohttp + msgspec loop",
        cpu_us / loop,
        " x",
        at_most(of_loop),
        f"{cpu_us:.0f} us of CPU a poll, the loop {loop:.0f} us; {load}",
    )
    yield Row(
        f"a poll, {what}, cheaper than the vendor's client",
        sdk / cpu_us,
        " x",
        at_least(of_sdk) if of_sdk else None,
        f"the vendor's client {sdk:.0f} us, in 32 threads {threads:.0f} us",
    )


main = command(measure)

if __name__ == "__main__":
    main()
