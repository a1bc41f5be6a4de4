import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.duration import format_duration

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
