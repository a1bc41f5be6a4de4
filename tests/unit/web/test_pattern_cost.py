from __future__ import annotations

from time import perf_counter

import pytest

from auditd.alerting.matcher import Matcher, Operator
from auditd.web.pattern_cost import check_cost


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "legacy-.*",
        ".*a.*b.*",
        "(prod|test)-[a-z]+",
        "(?i)GH",
        "(?:a|b)c?",
        r"\(a\)+\*\+",
        "a{3}",
    ],
)
def test_ordinary_patterns_are_accepted(pattern: str) -> None:
    check_cost(Matcher("authorization", Operator.FITS, pattern))


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "(([a-z]+)+)+!", "(a|a)*", "(a){9}", "a?a?a?a?aaaa", ".*.*.*.*x"]
)
@pytest.mark.parametrize("operator", [Operator.FITS, Operator.FITS_NOT])
def test_patterns_that_may_take_for_ever_are_refused(operator: Operator, pattern: str) -> None:
    with pytest.raises(ValueError, match="may take for ever"):
        check_cost(Matcher("authorization", operator, pattern))


def test_a_value_that_is_compared_is_no_pattern() -> None:
    check_cost(Matcher("authorization", Operator.EQUAL, "(a+)+"))


def test_the_costliest_that_is_accepted_is_done_in_time() -> None:
    matcher = Matcher("authorization", Operator.FITS, ".*a.*a.*!")
    check_cost(matcher)
    started = perf_counter()
    assert not matcher.matches({"authorization": "a" * 200})
    assert perf_counter() - started < 1.0
