from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.duration import format_duration
from auditd.config.duration import parse_duration, parse_size


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


@pytest.mark.parametrize(
    ("text", "size"),
    [("1B", 1), ("8MiB", 8 * 1024**2), ("8MB", 8_000_000), ("500KB", 500_000), ("1GiB", 1024**3)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "8", "MiB", "8 MiB", "8mib", "-1B", "1.5MiB", 8, None, "9" * 50 + "B"]
)
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a size such as 8MiB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["0B", "0MiB", "1000GB", "1000000000GiB"])
def test_a_size_has_bounds(text: str) -> None:
    with pytest.raises(ValueError, match="at least 1B and less than 1000GB"):
        parse_size(text)
