from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.config.interpolation import interpolate

ENVIRON = {"REGION": "cn-north-4", "EMPTY": "", "NESTED": "${REGION}", "YAML": "a: [b"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("plain", "plain"),
        ("https://x.${REGION}.example", "https://x.cn-north-4.example"),
        ("${ABSENT:-cn-east-3}", "cn-east-3"),
        ("${EMPTY:-filled}", "filled"),
        ("${EMPTY}", ""),
        ("${ABSENT:-}", ""),
        ("$${REGION}", "${REGION}"),
        ("$$$${REGION}", "$${REGION}"),
        ("$$${REGION}", "$cn-north-4"),
        ("pa$word", "pa$word"),
        ("cn-.*$", "cn-.*$"),
        ("${NESTED}", "${REGION}"),
        ("${YAML}", "a: [b"),
    ],
)
def test_references_are_replaced_once(text: str, expanded: str) -> None:
    assert interpolate(text, ENVIRON) == expanded


def test_an_undefined_variable_is_named_with_its_remedies() -> None:
    with pytest.raises(ValueError, match=r"variable ABSENT is not set; set it or write \$\{ABSENT"):
        interpolate("${ABSENT}", ENVIRON)


@pytest.mark.parametrize("text", ["${", "${}", "${a b}", "${1}", "${REGION", "${REGION:x}"])
def test_what_is_no_reference_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"must begin \$\{VARIABLE\}"):
        interpolate(text, ENVIRON)


@given(st.text())
def test_a_doubled_dollar_gives_any_text_back(text: str) -> None:
    assert interpolate(text.replace("$", "$$"), {}) == text
