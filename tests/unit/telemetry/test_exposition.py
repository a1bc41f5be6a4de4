from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterable
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.exposition import Exposer, Exposition
from auditd.telemetry.fleet_exposition import FleetExposition
from auditd.telemetry.fragment import Stream, Strip, deflate
from auditd.telemetry.poll_counts import PollCounts
from tests.unit.telemetry.reading import FORMATS, OPENMETRICS, body_of, expose, read

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
    "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Fixed(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def exposer_of(fleet: list[ProjectSnapshot], registry: CollectorRegistry | None = None) -> Exposer:
    exposition = FleetExposition(
        fleet=lambda: fleet,
        checks=dict,
        counts=PollCounts(),
        max_series=100_000,
        dropped=lambda _: None,
    )
    return Exposer(exposition, registry or _registry())


def _registry() -> CollectorRegistry:
    one, two = Metric("one", "The first.", "gauge"), Metric("two", "The second.", "counter")
    one.add_sample("one", {}, 1.0)
    two.add_sample("two_total", {}, 2.0)
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Fixed([one, two]))
    return registry


@pytest.fixture
def exposer(snapshot: ProjectSnapshot) -> Exposer:
    return exposer_of([snapshot])


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "text/plain;version=0.0.4", "x;;=,"])
def test_text_is_what_everyone_gets(exposer: Exposer, accept: str) -> None:
    exposition = expose(exposer, accept=accept)
    assert exposition.headers["Content-Type"] == TEXT
    assert b"# TYPE two_total counter\ntwo_total 2.0\n" in body_of(exposition)
    assert b"# TYPE auditd_polls_total counter\nauditd_polls_total{" in body_of(exposition)


def test_other_metrics_are_as_they_are_now_in_each_format() -> None:
    registry = CollectorRegistry()
    changing = Gauge("three", "The third.", registry=registry)
    exposer = exposer_of([], registry)
    for value in (1.5, 1.5, 2.5):
        changing.set(value)
        for accept, parse in FORMATS:
            for names in ((), ("three",)):
                body = body_of(expose(exposer, accept=accept, names=names)).decode()
                assert [
                    family.samples[0].value for family in parse(body) if family.name == "three"
                ] == [value]


@pytest.mark.parametrize("accept", [OPENMETRICS, PROMETHEUS_2, PROMETHEUS_3])
def test_openmetrics_is_what_prometheus_gets(exposer: Exposer, accept: str) -> None:
    exposition = expose(exposer, accept=accept)
    assert exposition.headers["Content-Type"].startswith("application/openmetrics-text; version=1")
    assert b"# TYPE auditd_polls counter\nauditd_polls_total{" in body_of(exposition)
    assert body_of(exposition).endswith(b"# EOF\n")
    assert body_of(exposition).count(b"# EOF") == 1


@pytest.mark.parametrize("media_type", ["application/openmetrics-text", "text/plain"])
def test_whoever_asks_for_dots_gets_underscores_and_is_told(
    exposer: Exposer, media_type: str
) -> None:
    exposition = expose(exposer, accept=f"{media_type};version=1.0.0;escaping=dots")
    assert exposition.headers["Content-Type"].endswith("; escaping=underscores")
    assert b"\nauditd_polls_total{" in body_of(exposition)


@given(
    version=st.one_of(st.text(), st.from_regex(r"[0-9.]{1,5}\.?(x|\udc80)?", fullmatch=True)),
    media_type=st.sampled_from(["application/openmetrics-text", "text/plain", "x"]),
)
def test_no_accept_header_breaks_a_scrape(version: str, media_type: str) -> None:
    headers = expose(exposer_of([]), accept=f"{media_type};version={version}").headers
    assert headers["Content-Type"].isascii()


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("br , gzip ; q=1", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.00", False),
        ("zgzip", False),
        (";,;q", False),
    ],
)
def test_it_is_compressed_for_whoever_accepts_that(
    exposer: Exposer, accepted: str, *, is_compressed: bool
) -> None:
    exposition = expose(exposer, accept_encoding=accepted)
    assert ("Content-Encoding" in exposition.headers) is is_compressed
    assert body_of(exposition) == body_of(expose(exposer))
    assert exposition.headers["Vary"] == "Accept, Accept-Encoding"


def test_a_compressed_body_is_one_gzip_member(exposer: Exposer) -> None:
    body = b"".join(expose(exposer, accept_encoding="gzip").pieces())
    decompressor = zlib.decompressobj(wbits=31)
    decompressor.decompress(body)
    assert (decompressor.eof, decompressor.unused_data) == (True, b"")


def test_a_large_body_comes_in_pieces_of_some_64_kib(
    snapshot: ProjectSnapshot, authorization: Any
) -> None:
    listed = {f"a{number}": authorization for number in range(4000)}
    exposition = expose(exposer_of([ProjectSnapshot(snapshot.project, authorizations=listed)]))
    sizes = [len(piece) for piece in exposition.pieces()]
    assert len(sizes) > 5
    assert sum(sizes) == exposition.size
    assert max(sizes) < 250_000
    assert all(size >= 131_072 for size in sizes[:-1])


def test_small_fragments_come_in_pieces_of_some_as_each_takes_its_time() -> None:
    strips = [Strip(deflate(f"one {number}\n")) for number in range(1000)]
    stream = Stream(strips, is_compressed=False)
    pieces = list(Exposition({}, stream).pieces())
    assert b"".join(pieces) == b"".join(b"one %d\n" % number for number in range(1000))
    assert max(piece.count(b"\n") for piece in pieces) <= 128


async def test_other_metrics_are_encoded_one_by_one_with_turns_between() -> None:
    metrics = [Metric(f"m{number}", "One of many.", "gauge") for number in range(200)]
    encoded, turns = 0, set[int]()

    class Slow(Collector):
        def collect(self) -> Iterable[Metric]:
            nonlocal encoded
            for metric in metrics:
                encoded += 1
                end = perf_counter() + 0.0005
                while perf_counter() < end:
                    pass
                yield metric

    registry = CollectorRegistry()
    registry.register(Slow())
    fleet = FleetExposition(
        fleet=list, checks=dict, counts=PollCounts(), max_series=1, dropped=lambda _: None
    )
    asked = asyncio.create_task(Exposer(fleet, registry)())
    while not asked.done():
        await asyncio.sleep(0)
        turns.add(encoded)
    assert len(turns) > 100
    assert body_of(await asked).count(b"# TYPE m") == 200


@pytest.mark.parametrize(("accept", "parse"), FORMATS)
def test_only_the_named_series_are_rendered(exposer: Exposer, accept: str, parse: Any) -> None:
    names = ["two_total", "auditd_polls_total", "servicestage_git_authorization_info", "unknown"]
    text = read(exposer, accept=accept, names=names)
    found = {sample.name for family in parse(text) for sample in family.samples}
    assert found == set(names) - {"unknown"}
    assert text.count("# HELP") == 3


@pytest.mark.parametrize(
    "name", ["unknown", "auditd_polls", "auditd_alerts", "servicestage_git_authorization_verified"]
)
def test_a_name_without_series_adds_nothing(name: str) -> None:
    exposer = exposer_of([])
    assert read(exposer, names=[name]) == ""
    assert read(exposer, names=[name], accept=OPENMETRICS) == "# EOF\n"


def test_every_family_is_there_without_a_single_project() -> None:
    families = {family.name for family in parse_text(read(exposer_of([])))}
    assert {"auditd_polls", "auditd_project_up", "servicestage_git_authorization_info"} <= families


async def test_scrapes_at_once_are_each_whole(exposer: Exposer) -> None:
    asked = [{"accept": accept, "accept_encoding": "gzip"} for accept, _ in FORMATS * 3]
    together = await asyncio.gather(*[exposer(**one) for one in asked])
    alone = [await exposer(**one) for one in asked]
    assert [body_of(one) for one in together] == [body_of(one) for one in alone]


async def test_a_scrape_that_was_given_up_leaves_the_next_alone(exposer: Exposer) -> None:
    first = asyncio.create_task(exposer())
    waiting = asyncio.create_task(exposer())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert body_of(await waiting) == body_of(await exposer())
