"""Reads what an exposer gives, as a scraper would."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, cast

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from auditd.telemetry.exposition import Exposer, Exposition

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
FORMATS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("", parse_text),
    (OPENMETRICS, parse_openmetrics),
)
"""What a scraper accepts, and how it reads that."""

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def expose(exposer: Exposer, **asked: Any) -> Exposition:
    """Without an event loop, as nobody else is to have a turn: that is quick."""
    scrape = exposer(**asked)
    while True:
        try:
            scrape.send(None)
        except StopIteration as done:
            return cast(Exposition, done.value)


def body_of(exposition: Exposition) -> bytes:
    """As it was before it was compressed."""
    body = b"".join(exposition.pieces())
    assert len(body) == exposition.size
    return gzip.decompress(body) if "Content-Encoding" in exposition.headers else body


def read(exposer: Exposer, **asked: Any) -> str:
    return body_of(expose(exposer, **asked)).decode()


def samples(families: Any) -> Samples:
    """By name and labels; each of them once."""
    found = [
        ((sample.name, tuple(sorted(sample.labels.items()))), sample.value)
        for family in families
        for sample in family.samples
    ]
    assert len(dict(found)) == len(found)
    return dict(found)
