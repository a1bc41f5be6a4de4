"""Builds the series of the fleet anew at each scrape, so that nothing outlives its project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from prometheus_client import Metric
from prometheus_client.registry import Collector

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry import families
from auditd.telemetry.families import FLEET_FAMILIES, Scrape
from auditd.telemetry.poll_counts import PollCounts
from auditd.telemetry.series import Checks, authorization_series, project_series


class FleetCollector(Collector):
    """What was listed, what was found and how often it was tried.

    Args:
        fleet: every project as it is known now.
        checks: what can be found now.
        counts: the counters, of which those of other projects are forgotten.
        max_series: of authorizations. One that would exceed it is left out as a whole.
        dropped: told how many series were left out, when that begins.
    """

    def __init__(
        self,
        *,
        fleet: Callable[[], Collection[ProjectSnapshot]],
        checks: Callable[[], Checks],
        counts: PollCounts,
        max_series: int,
        dropped: Callable[[int], None],
    ) -> None:
        self._fleet = fleet
        self._checks = checks
        self._counts = counts
        self._max_series = max_series
        self._dropped = dropped
        self._is_dropping = False

    def describe(self) -> Iterable[Metric]:
        """The families, without looking at the fleet."""
        return Scrape(FLEET_FAMILIES).metrics()

    def collect(self) -> Iterable[Metric]:
        """The families with all that is known now."""
        fleet, checks = self._fleet(), self._checks()
        self._counts.forget_all_but({snapshot.project.name for snapshot in fleet})
        scrape = Scrape(FLEET_FAMILIES)
        for snapshot in fleet:
            for series in project_series(snapshot, checks):
                scrape.add(*series)
            for series in self._counts.series(snapshot.project.name):
                scrape.add(*series)
        dropped = self._add_authorizations(scrape, fleet)
        scrape.add(families.SERIES_DROPPED, {}, dropped)
        if dropped and not self._is_dropping:
            self._dropped(dropped)
        self._is_dropping = dropped > 0
        return scrape.metrics()

    def _add_authorizations(self, scrape: Scrape, fleet: Collection[ProjectSnapshot]) -> int:
        added = dropped = 0
        for snapshot in fleet:
            for authorization in (snapshot.authorizations or {}).values():
                series = authorization_series(snapshot, authorization)
                if added + len(series) > self._max_series:
                    dropped += len(series)
                    continue
                added += len(series)
                for one in series:
                    scrape.add(*one)
        return dropped
