from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.registry import Collector

from auditd.audit.authorization import Authorization
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.exposition import render
from auditd.telemetry.families import AUTHORIZATION_INFO, Scrape
from auditd.telemetry.series import authorization_series, label_value

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Fixed(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def registry_of(*metrics: Metric) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Fixed(metrics))
    return registry


@pytest.fixture
def registry() -> CollectorRegistry:
    one, two = Metric("one", "The first.", "gauge"), Metric("two", "The second.", "counter")
    one.add_sample("one", {}, 1.0)
    two.add_sample("two_total", {}, 2.0)
    return registry_of(one, two)


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "text/plain;version=0.0.4", "x;;=,"])
def test_text_is_what_everyone_gets(registry: CollectorRegistry, accept: str) -> None:
    exposition = render(registry, accept=accept)
    assert exposition.headers["Content-Type"] == TEXT
    assert b"# TYPE two_total counter\ntwo_total 2.0\n" in exposition.body


@pytest.mark.parametrize("accept", [OPENMETRICS, PROMETHEUS_2])
def test_openmetrics_is_what_prometheus_gets(registry: CollectorRegistry, accept: str) -> None:
    exposition = render(registry, accept=accept)
    assert exposition.headers["Content-Type"].startswith("application/openmetrics-text; version=1")
    assert exposition.body.endswith(b"# EOF\n")


@given(
    version=st.one_of(st.text(), st.from_regex(r"[0-9.]{1,5}\.?(x|\udc80)?", fullmatch=True)),
    media_type=st.sampled_from(["application/openmetrics-text", "text/plain", "x"]),
)
def test_no_accept_header_breaks_a_scrape(version: str, media_type: str) -> None:
    headers = render(registry_of(), accept=f"{media_type};version={version}").headers
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
    registry: CollectorRegistry, accepted: str, *, is_compressed: bool
) -> None:
    plain = render(registry)
    exposition = render(registry, accept_encoding=accepted)
    assert ("Content-Encoding" in exposition.headers) is is_compressed
    body = gzip.decompress(exposition.body) if is_compressed else exposition.body
    assert body == plain.body
    assert exposition.headers["Vary"] == "Accept, Accept-Encoding"


def test_only_the_named_series_are_rendered(registry: CollectorRegistry) -> None:
    body = render(registry, names=["two_total", "unknown"]).body
    assert b"two_total 2.0" in body
    assert b"one" not in body
    assert render(registry, names=["unknown"]).body == b""


@given(
    name=st.text(max_size=250), host=st.text(max_size=250), tag=st.sampled_from(['a"\\\n', "\\n"])
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_foreign_text_parses_back_to_itself(
    authorization: Authorization, project: Project, name: str, host: str, tag: str
) -> None:
    foreign = replace(authorization, name=name, repo_host=host, tag=tag)
    (_, labels, value), *_ = authorization_series(ProjectSnapshot(project), foreign)
    scrape = Scrape((AUTHORIZATION_INFO,))
    scrape.add(AUTHORIZATION_INFO, labels, value)
    registry = registry_of(*scrape.metrics())
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        text = render(registry, accept=accept).body.decode()
        (family,) = parse(text)
        (sample,) = family.samples
        assert sample.labels["authorization"] == label_value(name)
        assert sample.labels["repo_host"] == label_value(host)
        assert sample.labels["tag"] == tag


@given(st.text(max_size=300))
@example("a\ud800" * 200)
def test_a_label_is_cut_at_200_characters_and_can_be_encoded(text: str) -> None:
    value = label_value(text)
    assert len(value) <= 200
    assert value.encode().decode() == value
