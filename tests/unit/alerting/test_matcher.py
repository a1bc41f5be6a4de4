import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.matcher import Matcher, Operator, match_all, parse_matcher, quoted

LABELS = {"severity": "critical", "team": "payments"}


@pytest.mark.parametrize(
    ("label", "operator", "value", "is_match"),
    [
        ("severity", "=", "critical", True),
        ("severity", "=", "crit", False),
        ("severity", "!=", "critical", False),
        ("severity", "!=", "warning", True),
        ("team", "=~", "pay.*", True),
        ("team", "=~", "pay", False),
        ("team", "=~", "ments", False),
        ("team", "=~", "ops|payments", True),
        ("team", "!~", "pay.*", False),
        ("team", "!~", "pay", True),
        ("absent", "=", "", True),
        ("absent", "!=", "", False),
        ("absent", "!=", "x", True),
        ("absent", "=~", ".*", True),
        ("absent", "=~", ".+", False),
        ("absent", "!~", ".+", True),
    ],
)
def test_matchers_are_alertmanagers(
    label: str, operator: str, value: str, *, is_match: bool
) -> None:
    assert Matcher(label, Operator(operator), value).matches(LABELS) is is_match


@given(st.from_regex(re.compile(r"[a-z.|*]{0,6}", re.ASCII), fullmatch=True), st.text("ab.|\n"))
def test_every_operator_has_its_opposite(value: str, found: str) -> None:
    labels = {"label": found}
    for one, other in (("=", "!="), ("=~", "!~")):
        try:
            matchers = [Matcher("label", Operator(operator), value) for operator in (one, other)]
        except ValueError:
            continue
        assert [matcher.matches(labels) for matcher in matchers].count(True) == 1


@pytest.mark.parametrize("operator", [Operator.FITS, Operator.FITS_NOT])
def test_what_is_no_regular_expression_is_refused_and_not_quoted(operator: Operator) -> None:
    with pytest.raises(ValueError, match="the matcher of label team has no usable") as caught:
        Matcher("team", operator, "secret(")
    assert "secret" not in str(caught.value)


def test_a_value_that_is_compared_need_not_be_a_regular_expression() -> None:
    assert Matcher("team", Operator.EQUAL, "(").matches({"team": "("})


def test_all_matchers_must_match() -> None:
    critical = Matcher("severity", Operator.EQUAL, "critical")
    other = Matcher("team", Operator.EQUAL, "ops")
    assert match_all([critical], LABELS)
    assert not match_all([critical, other], LABELS)
    assert match_all([], LABELS)


def test_a_matcher_is_written_as_it_is_read() -> None:
    assert str(Matcher("team", Operator.EQUAL, 'a"b\\c\nd')) == r'team="a\"b\\c\nd"'
    assert quoted("plain") == '"plain"'


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("a=b", Matcher("a", Operator.EQUAL, "b")),
        (' a != "b c" ', Matcher("a", Operator.NOT_EQUAL, "b c")),
        ("a=~b.*", Matcher("a", Operator.FITS, "b.*")),
        ('a!~""', Matcher("a", Operator.FITS_NOT, "")),
        ('a="=~"', Matcher("a", Operator.EQUAL, "=~")),
        (r'a="q\"\\\n\d"', Matcher("a", Operator.EQUAL, 'q"\\\n\\d')),
        ("a=", Matcher("a", Operator.EQUAL, "")),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(text: str, matcher: Matcher) -> None:
    assert parse_matcher(text) == matcher


@pytest.mark.parametrize("text", ["", "a", "=b", "a-b=c", 'a="b', 'a="b",c="d"', "a=~("])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"matcher|regular expression"):
        parse_matcher(text)


@given(st.text(), st.sampled_from([Operator.EQUAL, Operator.NOT_EQUAL]))
def test_any_matcher_is_read_back(value: str, operator: Operator) -> None:
    matcher = Matcher("a", operator, value)
    assert parse_matcher(str(matcher)) == matcher


def test_an_odd_regular_expression_does_not_warn() -> None:
    assert parse_matcher("a=~[[a]").matches({"a": "["})
