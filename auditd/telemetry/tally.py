"""A histogram of what every poll brings, which costs a poll next to nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString


class Tally:
    """Counts values by bounds. On the event loop's thread only.

    prometheus_client's Histogram takes two locks for each value and goes through all bounds.

    Args:
        name: of the family.
        documentation: its HELP.
        bounds: ascending, each inclusive; what is above the last is counted as well.
    """

    def __init__(self, name: str, documentation: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(bounds)
        self._labels = [*map(floatToGoString, bounds), "+Inf"]
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def metric(self) -> HistogramMetricFamily:
        """All that was counted so far."""
        buckets = list(zip(self._labels, accumulate(self._counts), strict=True))
        family = HistogramMetricFamily(self._name, self._documentation)
        family.add_metric([], buckets, self._sum)
        return family
