from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from auditd.telemetry.metrics import without_created
from auditd.telemetry.tally import Tally

BOUNDS = (0.05, 0.1, 1.0, 30.0)


def text(*metrics: Metric) -> bytes:
    class Given(Collector):
        def collect(self) -> tuple[Metric, ...]:
            return metrics

    registry = CollectorRegistry()
    registry.register(Given())
    return generate_latest(registry)


@given(st.lists(st.one_of(st.sampled_from(BOUNDS), st.floats(0, 100)), max_size=50))
def test_it_counts_and_shows_what_prometheus_client_does(values: list[float]) -> None:
    tally = Tally("waited_seconds", "How long.", BOUNDS)
    reference = Histogram("waited_seconds", "How long.", buckets=BOUNDS, registry=None)
    for value in values:
        tally.observe(value)
        reference.observe(value)

    assert text(tally.metric()) == text(*without_created(reference))
