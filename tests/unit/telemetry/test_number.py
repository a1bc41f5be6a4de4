from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auditd.telemetry.number import instant_text, instant_texts, number_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = st.datetimes(timezones=st.just(UTC)) | st.integers(10**15, 10**16).map(
    lambda microseconds: EPOCH + timedelta(microseconds=microseconds)
)


@given(INSTANTS)
@example(EPOCH)
@example(EPOCH + timedelta(seconds=10**9))
@example(EPOCH + timedelta(seconds=10**9, microseconds=-1))
@example(EPOCH + timedelta(seconds=2 * 10**9))
@example(EPOCH + timedelta(seconds=8 * 10**9))
@example(EPOCH + timedelta(seconds=8 * 10**9, microseconds=-1))
@example(datetime(2262, 11, 9, 10, 17, 27, 221479, tzinfo=UTC))
@example(datetime(2026, 11, 24, 12, 0, 0, 358000, tzinfo=UTC))
def test_an_instant_is_written_as_its_float_would_be(at: datetime) -> None:
    assert instant_text(at) == number_text(at.timestamp())


@given(st.lists(INSTANTS))
@example([EPOCH + timedelta(seconds=2 * 10**9), EPOCH + timedelta(seconds=10**9, milliseconds=358)])
def test_many_instants_are_written_as_each_alone(instants: list[datetime]) -> None:
    assert instant_texts(instants) == [instant_text(at).encode() for at in instants]


@given(INSTANTS)
def test_an_instant_is_read_back_to_the_microsecond(at: datetime) -> None:
    assert float(instant_text(at)) == at.timestamp()


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.0"), (True, "1.0"), (-1.5, "-1.5"), (1e6, "1e+06"), (float("inf"), "+Inf")],
)
def test_values_are_written_like_those_of_go(value: float, text: str) -> None:
    assert number_text(value) == text
