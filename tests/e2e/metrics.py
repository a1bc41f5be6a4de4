"""Reads what a daemon exposes."""

from __future__ import annotations

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """One scrape, by series name and labels."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = {family.name for family in text_string_to_metric_families(text)}
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def values(self, name: str, **labels: str) -> list[float]:
        """The values of all series of this name that have these labels."""
        return [
            sample.value
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, **labels: str) -> float:
        return sum(self.values(name, **labels))

    def label(self, name: str, wanted: str, **labels: str) -> set[str]:
        """The values of one label over all series of this name that are not zero."""
        return {
            sample.labels[wanted]
            for sample in self._samples
            if sample.name == name and sample.value and labels.items() <= sample.labels.items()
        }


async def scrape(session: aiohttp.ClientSession, url: str) -> Scrape:
    async with session.get(f"{url}/metrics") as answer:
        answer.raise_for_status()
        return Scrape(await answer.text())
