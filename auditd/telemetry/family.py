"""One metric family, and the samples that a scrape has of several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import Metric

_SUFFIXES = {"gauge": "", "counter": "_total", "info": "_info"}


@dataclass(frozen=True, slots=True)
class Family:
    """One name. `kind` decides the suffix that a sample gets: `_total`, `_info` or none.

    `name` is without that suffix.
    """

    name: str
    kind: Literal["gauge", "counter", "info"]
    help_text: str

    @property
    def sample_name(self) -> str:
        """The name as it is scraped."""
        return self.name + _SUFFIXES[self.kind]

    def empty(self) -> Metric:
        """The family without samples."""
        return Metric(self.name, self.help_text, self.kind)


class Scrape:
    """The samples of one scrape, collected family by family."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._metrics = {family.name: (family.empty(), family.sample_name) for family in families}

    def add(self, family: Family, labels: dict[str, str], value: float) -> None:
        """Add one series. Its label names may differ from those of its siblings."""
        metric, sample_name = self._metrics[family.name]
        metric.add_sample(sample_name, labels, value)

    def metrics(self) -> list[Metric]:
        """The families with their samples, those without any included, in the order given."""
        return [metric for metric, _ in self._metrics.values()]
