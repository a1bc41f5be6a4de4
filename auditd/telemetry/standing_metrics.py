"""Whether the daemon is well, for whoever cannot ask /-/ready, and how it works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.registry import Collector

from auditd.telemetry import families
from auditd.telemetry.column import Column
from auditd.telemetry.families import STANDING_FAMILIES
from auditd.telemetry.family import Scrape


class EngineStanding(Protocol):
    """How an engine is. The numbers but the first only grow."""

    @property
    def running(self) -> int:
        """Jobs under way in this process."""

    @property
    def restarts(self) -> int:
        """How often it had to begin anew."""

    @property
    def reaped(self) -> int:
        """Jobs of dead processes that were taken away here."""


class StandingMetrics(Collector):
    """Asks when someone scrapes.

    Args:
        is_ready: what /-/ready answers now.
        is_writable: whether the last transaction of the state could be written.
        engine: how the engine is now.
        replicas: how many daemons share the state, this one included.
    """

    def __init__(
        self,
        *,
        is_ready: Callable[[], bool],
        is_writable: Callable[[], bool],
        engine: Callable[[], EngineStanding],
        replicas: Callable[[], int],
    ) -> None:
        self._is_ready = is_ready
        self._is_writable = is_writable
        self._engine = engine
        self._replicas = replicas

    def columns(self) -> Sequence[Column]:
        """None: nothing here is of one project."""
        return ()

    def describe(self) -> Iterable[Metric]:
        """The families, without looking at anything."""
        return Scrape(STANDING_FAMILIES).metrics()

    def collect(self) -> Iterable[Metric]:
        """The families as they are now."""
        scrape = Scrape(STANDING_FAMILIES)
        scrape.add(families.READY, {}, self._is_ready())
        scrape.add(families.STATE_WRITABLE, {}, self._is_writable())
        engine = self._engine()
        scrape.add(families.ENGINE_JOBS_RUNNING, {}, engine.running)
        scrape.add(families.ENGINE_RESTARTS, {}, engine.restarts)
        scrape.add(families.ENGINE_JOBS_REAPED, {}, engine.reaped)
        scrape.add(families.REPLICAS, {}, self._replicas())
        return scrape.metrics()
