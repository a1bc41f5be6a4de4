import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.rhythm import until_beat


@pytest.mark.parametrize(
    ("now", "pause"), [(0, 5), (0.25, 4.75), (5, 5), (12.5, 2.5), (14.9, 0.1), (14.9995, 5.0005)]
)
def test_it_is_the_time_to_the_next_multiple(now: float, pause: float) -> None:
    assert until_beat(now, 5) == pytest.approx(pause)


@given(st.floats(0, 1e9), st.sampled_from([1.0, 5.0]))
def test_whoever_wakes_then_is_there_when_all_others_are(now: float, period: float) -> None:
    pause = until_beat(now, period)
    assert 0.001 < pause <= period + 0.001
    assert (now + pause) / period == pytest.approx(round((now + pause) / period), abs=1e-6)


@given(st.floats(-1e-4, 1e-4))
def test_a_timer_that_is_not_exact_skips_no_beat_and_makes_none(error: float) -> None:
    assert until_beat(100 + error, 5) == pytest.approx(5, abs=2e-4)
