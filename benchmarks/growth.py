"""Whether a daemon grows, however long it polls."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from threading import Event
from time import sleep

from benchmarks.daemon_process import Daemon, daemon
from benchmarks.fixture import Fixture, made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.servers import nginx
from benchmarks.watched import look, watched_command

_CYCLE_SECONDS = 1
_CHURN = ("some", "same")
_PROJECTS, _AUTHORIZATIONS = 50, 20
_SEEN = {"resident memory": " MB", "open files and sockets": "", "tasks": ""}
_LOOKS = 9


def watch(cycles: int, is_over: Event) -> list[Row]:
    """What comes of so many cycles after a tenth of them, which takes a second each.

    It needs some percent of a core, so it may go on beside other benchmarks. Once `is_over`
    nobody waits for the rest.

    Raises:
        SkippedError: there is no nginx.
    """
    with made(projects=_PROJECTS, authorizations=_AUTHORIZATIONS, is_changing=True) as fixture:
        home, interval = fixture.home / "d", f"{_CYCLE_SECONDS}s"
        program = watched_command(home, is_counting=False)
        with (
            nginx(fixture) as served,
            daemon(home, fixture.ids, served.url, interval=interval, command=program) as running,
        ):
            running.seconds_until_complete(_PROJECTS * _AUTHORIZATIONS)
            _churn(fixture, cycles // 10, is_over)
            before, polls = _seen(running), served.answered()
            _churn(fixture, cycles, is_over)
            polled = (served.answered() - polls) / _PROJECTS
            now = _seen(running)
    load = f"{polled:,.0f} cycles with 2 % changed, after {cycles // 10} others"
    return [
        Row(
            f"{what}, then against before",
            now[what] / before[what],
            " x",
            at_most(1.05),
            f"{before[what]:,.0f}{unit}, then {now[what]:,.0f}{unit}; {load}",
        )
        for what, unit in _SEEN.items()
    ]


def _churn(fixture: Fixture, cycles: int, is_over: Event) -> None:
    for turn in range(cycles):
        fixture.serve(_CHURN[turn % len(_CHURN)])
        if is_over.wait(_CYCLE_SECONDS):
            return


def _seen(running: Daemon) -> dict[str, float]:
    """The median of several looks, because a poll may be under way."""
    looks = []
    for _ in range(_LOOKS):
        looks.append((running.memory_mb(), running.descriptors(), look(running).tasks))
        sleep(_CYCLE_SECONDS / _LOOKS)
    return dict(zip(_SEEN, map(median, zip(*looks, strict=True)), strict=True))


def cycles_of(scale: Scale) -> int:
    """How many are watched."""
    return scale.pick(1_000, 5)


def measure(scale: Scale) -> Iterator[Row]:
    """Memory, open files and tasks over 1,000 cycles."""
    yield from watch(cycles_of(scale), Event())


main = command(measure)

if __name__ == "__main__":
    main()
