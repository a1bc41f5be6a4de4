from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditd.hooks.pace import Pace


def test_without_a_limit_a_message_may_always_be_sent() -> None:
    pace = Pace(None)
    for now in range(1000):
        assert pace.free_at(now) == now
        pace.take(now)


@given(st.integers(1, 20), st.lists(st.floats(0.0, 30.0), max_size=100))
def test_no_minute_ever_has_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    pace = Pace(limit)
    now = 0.0
    sent: list[float] = []
    for gap in gaps:
        now = pace.free_at(now + gap)
        pace.take(now)
        sent.append(now)
    for first, last in zip(sent, sent[limit:], strict=False):
        assert last - first >= 60.0 - 1e-9


def test_the_first_ones_may_be_sent_at_once() -> None:
    pace = Pace(3)
    for _ in range(3):
        assert pace.free_at(10.0) == 10.0
        pace.take(10.0)
    assert pace.free_at(10.0) == 70.0
