from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.simulator.moments import (
    parse_duration,
    parse_moment,
    to_instant,
    to_milliseconds,
    to_vendor_text,
)

ZERO = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90d", timedelta(days=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1s250ms", timedelta(milliseconds=1250)),
        ("5m", timedelta(minutes=5)),
        ("250ms", timedelta(milliseconds=250)),
        ("0s", timedelta()),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("value", ["", "5", 5, None, "-5s", "5 s", "1m1h", "1w", "5sx", "x"])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration(value)


@pytest.mark.parametrize("text", ["36501d", "9" * 30 + "d"])
def test_a_duration_of_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 36500d"):
        parse_duration(text)


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text) >= timedelta()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("-120d", ZERO - timedelta(days=120)),
        ("+5s", ZERO + timedelta(seconds=5)),
        ("now", ZERO),
        (timedelta(days=-1), ZERO - timedelta(days=1)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        (1649731565642, datetime(2022, 4, 12, 2, 46, 5, 642000, tzinfo=UTC)),
        (None, None),
    ],
)
def test_a_moment_is_an_offset_an_instant_milliseconds_or_nothing(
    value: object, expected: datetime | None
) -> None:
    moment = parse_moment(value)
    assert to_instant(moment, ZERO) == expected
    milliseconds = None if expected is None else round(expected.timestamp() * 1000)
    assert to_milliseconds(moment, ZERO) == milliseconds


def test_raw_milliseconds_are_sent_as_they_are_however_odd() -> None:
    assert to_milliseconds(parse_moment(-(10**18)), ZERO) == -(10**18)


@pytest.mark.parametrize(
    "value", ["yesterday", "2026-01-01T00:00:00", ZERO.replace(tzinfo=None), True, 1.5]
)
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_moment(value)


def test_vendor_times_have_six_digits_and_are_utc() -> None:
    assert to_vendor_text(ZERO) == "2026-01-15T08:30:00.000000Z"
