"""All metrics of one daemon, in a registry of its own."""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from structlog.typing import FilteringBoundLogger

from auditd.audit.credential import CredentialStatus
from auditd.audit.events import Event, PollFailed, PollFinished
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry import families, names
from auditd.telemetry.column import Column
from auditd.telemetry.exposition import Exposer, render_snapshots
from auditd.telemetry.families import DAEMON_FAMILIES
from auditd.telemetry.family import Scrape
from auditd.telemetry.fleet_exposition import FleetExposition
from auditd.telemetry.label import label_value
from auditd.telemetry.poll_counts import PollCounts
from auditd.telemetry.series import Checks
from auditd.telemetry.tally import Tally

_DURATION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: from a list that is near to the longest sensible poll_timeout."""
_LAG_BUCKETS = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Seconds: from punctual to a whole poll_interval."""
_POLLS = (PollFinished, PollFailed)


class MoreMetrics(Collector, Protocol):
    """Metrics of another part of the daemon."""

    def columns(self) -> Sequence[Column]:
        """Those of their series that each project has."""


class Metrics(Collector):
    """Counts events, and renders the fleet as it is when someone scrapes.

    Everything happens on the event loop's thread.

    Args:
        fleet: every project as it is known now.
        checks: the enabled checks, each with the severities that its findings can have.
        credentials: the state of each configured credential.
        dropped_log_lines: how many so far.
        version: of this program.
        logger: told once when the cap on series begins to bite.
        max_series: how many series of authorizations one scrape may have.
    """

    def __init__(
        self,
        *,
        fleet: Callable[[], Collection[ProjectSnapshot]],
        checks: Callable[[], Checks],
        credentials: Callable[[], Collection[CredentialStatus]],
        dropped_log_lines: Callable[[], int],
        version: str,
        logger: FilteringBoundLogger,
        max_series: int = 500_000,
    ) -> None:
        self._snapshots = fleet
        self._checks = checks
        self._credentials = credentials
        self._dropped_log_lines = dropped_log_lines
        self._version = version
        self._logger = logger
        self._counts = PollCounts()
        self._config_is_good: bool | None = None
        self._config_loaded_at: datetime | None = None
        self._loop_lag_seconds: float | None = None
        self._heartbeat_at: datetime | None = None
        self._poll_duration = Tally(
            "auditd_poll_duration_seconds",
            "From the first request of a poll to its end.",
            _DURATION_BUCKETS,
        )
        self._schedule_lag = Tally(
            "auditd_poll_schedule_lag_seconds",
            "From the slot of a poll to when its request could be sent.",
            _LAG_BUCKETS,
        )
        self._fleet = FleetExposition(
            fleet=fleet,
            checks=checks,
            counts=self._counts,
            max_series=max_series,
            dropped=self._warn_of_dropped_series,
        )
        self._registry = CollectorRegistry(auto_describe=True)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self.expose = Exposer(self._fleet, self._registry)
        """Renders all of it for whoever scrapes."""

    def render_project(self, snapshot: ProjectSnapshot) -> str:
        """One project alone, as Prometheus text, with what was counted of it."""
        most = self._fleet.max_series
        return render_snapshots((snapshot,), self._checks(), self._counts, max_series=most)

    def register(self, more: MoreMetrics) -> None:
        """Expose these as well."""
        self._registry.register(more)
        self._fleet.add(more.columns())

    def __call__(self, event: Event) -> None:
        """Count the event."""
        self._counts.count(event)
        if isinstance(event, _POLLS):
            self._poll_duration.observe(event.duration_seconds)
            self._schedule_lag.observe(event.lag_seconds)

    def config_loaded(self, at: datetime, *, successful: bool) -> None:
        """The configuration was loaded, or refused, at this aware UTC instant."""
        self._config_is_good = successful
        if successful:
            self._config_loaded_at = at

    def adopt(self, *, max_series: int, sources: Collection[str]) -> None:
        """Have this cap from now on, and end the series of all sources of projects but these."""
        self._fleet.max_series = max_series
        self._counts.forget_sources_but(sources)

    def loop_lag(self, seconds: float) -> None:
        """The event loop was so late just now."""
        self._loop_lag_seconds = seconds

    def heartbeat_sent(self, at: datetime) -> None:
        """The heartbeat arrived at this aware UTC instant."""
        self._heartbeat_at = at

    def describe(self) -> Iterable[Metric]:
        """The daemon's own families, without looking at anything."""
        return [
            *Scrape(DAEMON_FAMILIES).metrics(),
            self._poll_duration.metric(),
            self._schedule_lag.metric(),
        ]

    def collect(self) -> Iterable[Metric]:
        """The daemon's own families as they are now."""
        self._counts.forget_all_but(self._snapshots())
        scrape = Scrape(DAEMON_FAMILIES)
        self._add_state(scrape)
        for credential in self._credentials():
            labels = {"credential": label_value(credential.name)}
            if credential.expires_at is not None:
                scrape.add(families.CREDENTIAL_EXPIRY, labels, credential.expires_at.timestamp())
            if credential.clock_skew_seconds is not None:
                scrape.add(families.CLOCK_SKEW, labels, credential.clock_skew_seconds)
        for source, failures in self._counts.discovery_failures.items():
            scrape.add(families.DISCOVERY_FAILURES, {"source": label_value(source)}, failures)
        return [
            *scrape.metrics(),
            self._poll_duration.metric(),
            self._schedule_lag.metric(),
        ]

    def _add_state(self, scrape: Scrape) -> None:
        build = {"version": self._version, "python_version": platform.python_version()}
        scrape.add(families.BUILD_INFO, build, 1.0)
        scrape.add(families.LINES_DROPPED, {}, self._dropped_log_lines())
        if self._config_is_good is not None:
            scrape.add(families.CONFIG_SUCCESSFUL, {}, self._config_is_good)
        if self._config_loaded_at is not None:
            loaded_at = self._config_loaded_at.timestamp()
            scrape.add(families.CONFIG_SUCCESS_TIMESTAMP, {}, loaded_at)
        if self._loop_lag_seconds is not None:
            scrape.add(families.LOOP_LAG, {}, self._loop_lag_seconds)
        if self._heartbeat_at is not None:
            scrape.add(families.HEARTBEAT_SUCCESS, {}, self._heartbeat_at.timestamp())

    def _warn_of_dropped_series(self, dropped: int) -> None:
        self._logger.warning(
            names.SERIES_DROPPED, series=dropped, max_series=self._fleet.max_series
        )


def without_created(histogram: Histogram) -> Iterable[Metric]:
    """The histogram without `_created`, which the text format would show as a gauge beside it."""
    for metric in histogram.collect():
        metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
        yield metric
