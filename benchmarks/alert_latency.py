"""How soon an alert leaves once it fires."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import quantiles
from time import sleep

from benchmarks.daemon_process import Daemon, daemon
from benchmarks.fixture import Fixture, made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.servers import nginx
from benchmarks.webhook_receiver import Receiver, receiver

_AUTHORIZATIONS = 18
"""Of so many, one is overdue and one is stale: see fixture.py."""
_ALERTS = 2
_INTERVAL_SECONDS = 30
_ALERTING = """
alerting:
  route: {{hook: ops, group_by: ["..."], group_wait: 0s}}
  hooks: [{{name: ops, type: webhook, url: "{url}"}}]
"""


@dataclass(frozen=True, slots=True)
class _Burst:
    """The polls after a start, each of which fires alerts that nobody knows of."""

    arrivals: Sequence[tuple[float, float]]
    cpu_seconds: float

    @property
    def seconds(self) -> float:
        """From the first that fired to the last that came."""
        return max(came for _, came in self.arrivals) - min(fired for fired, _ in self.arrivals)


def measure(scale: Scale) -> Iterator[Row]:
    """From the transition of an alert to its webhook: after a start, and in normal running."""
    projects, interval = scale.pick(1000, 20), scale.pick(_INTERVAL_SECONDS, 2)
    with (
        made(projects=projects, authorizations=_AUTHORIZATIONS, is_changing=True) as fixture,
        nginx(fixture) as served,
        receiver(fixture.home / "arrivals") as receiving,
    ):
        polls = fixture.ids, served.url
        with daemon(fixture.home / "mute", *polls, interval=f"{interval}s") as running:
            mute_seconds = _settled_cpu(running)
        more = _ALERTING.format(url=receiving.url)
        with daemon(fixture.home / "d", *polls, interval=f"{interval}s", more=more) as running:
            burst = _burst(running, receiving, projects * _ALERTS)
            steady = _steady(running, receiving, fixture)
    alerts = len(burst.arrivals)
    aside = f"{alerts:,} alerts, each a webhook of its own, all of them after {burst.seconds:.1f} s"
    yield from _rows("after a start", burst.arrivals, aside)
    aside = f"{len(steady):,} alerts in {interval} s, from {projects:,} projects"
    yield from _rows("in normal running", steady, aside)
    yield Row(
        "processor time of an alert's webhook",
        (burst.cpu_seconds - mute_seconds) / alerts * 1e3,
        " ms",
        aside=f"to the end of the burst {burst.cpu_seconds:.1f} s, without a hook"
        f" {mute_seconds:.1f} s",
    )


def _rows(when: str, arrivals: Sequence[tuple[float, float]], aside: str) -> Iterator[Row]:
    delays = [came - fired for fired, came in arrivals]
    hundredths = quantiles(delays, n=100, method="inclusive")
    most = f"half within {hundredths[49]:.3f} s, the last {max(delays):.3f} s; {aside}"
    yield Row(f"an alert {when} to its webhook, 99 %", hundredths[98], " s", at_most(1.0), most)


def _burst(running: Daemon, receiving: Receiver, alerts: int) -> _Burst:
    running.wait_until(lambda: len(receiving.arrivals()) >= alerts)
    return _Burst(receiving.arrivals(), _settled_cpu(running))


def _settled_cpu(running: Daemon) -> float:
    """Processor time of the start and the polls that follow it, once nothing goes on."""
    running.wait_until(running.is_ready)
    sleep(1)
    return running.cpu_seconds()


def _steady(
    running: Daemon, receiving: Receiver, fixture: Fixture
) -> Sequence[tuple[float, float]]:
    """One alert more of each project, found when that is polled next."""
    before = len(receiving.arrivals())
    fixture.serve("all")
    running.wait_until(lambda: len(receiving.arrivals()) >= before + len(fixture.ids))
    return receiving.arrivals()[before:]


if __name__ == "__main__":
    command(measure)()
