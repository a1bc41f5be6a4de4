from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.config.scalar import resolve


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "1:30", "0b11", "1_000", "+", "-"])
def test_what_only_yaml_1_1_reads_as_something_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("True", True),
        ("false", False),
        ("012", 12),
        ("-7", -7),
        ("0o17", 15),
        ("0xff", 255),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
    ],
)
def test_the_core_schema_is_followed(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(float(resolve(".nan") or 0))


def test_a_number_too_long_for_an_integer_is_still_read() -> None:
    assert resolve("9" * 5000) == math.inf


@given(st.text())
def test_any_text_has_a_value(text: str) -> None:
    value = resolve(text)
    assert value is None or isinstance(value, str | bool | int | float)
