import contextlib
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.duration import format_duration, parse_duration

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(microseconds=999), "0s"),
        (timedelta(milliseconds=1), "1ms"),
        (timedelta(seconds=1, milliseconds=500), "1s500ms"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(days=90), "90d"),
        (timedelta(days=91), "91d"),
        (timedelta(days=365, hours=6), "365d6h"),
    ],
)
def test_a_duration_is_written_as_in_the_configuration(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@given(st.timedeltas(min_value=timedelta(0)))
def test_what_is_written_is_the_duration_to_the_millisecond(duration: timedelta) -> None:
    parts = re.findall(r"(\d+)(ms|[dhms])", format_duration(duration))
    read = sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), timedelta(0))
    assert timedelta(0) <= duration - read < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("0", timedelta(0)),
        (0, timedelta(0)),
        ("0s", timedelta(0)),
        ("15ms", timedelta(milliseconds=15)),
        ("90d", timedelta(days=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1y2w3d4h5m6s7ms", timedelta(382, hours=4, minutes=5, seconds=6, milliseconds=7)),
        ("100y", timedelta(days=36500)),
    ],
)
def test_prometheus_durations_are_read(text: object, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    ["", "5", "m", "-5m", "1.5h", "30m1h", "1h 30m", "5 m", "5M", "1s1s", "5m\n", True, None],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration such as 30s"):
        parse_duration(text)


@pytest.mark.parametrize("number", [1, 300, 1.5])
def test_a_number_without_a_unit_is_told_of_units(number: float) -> None:
    with pytest.raises(ValueError, match="needs a unit"):
        parse_duration(number)


@pytest.mark.parametrize("text", ["101y", "9" * 13 + "ms", "9" * 5000 + "s", "99y99999w"])
def test_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="at most 100y"):
        parse_duration(text)


@given(st.integers(0, 100 * 365 * 86_400_000))
def test_what_is_written_is_read_again(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@given(st.text() | st.integers() | st.floats() | st.none())
def test_anything_is_a_duration_or_a_value_error(value: object) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(value) >= timedelta(0)
