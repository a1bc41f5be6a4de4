import re
import string
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.expression import (
    LONGEST_EXPRESSION,
    Expression,
    beginnings,
    parse_expression,
)
from auditd.audit.facts import Facts
from auditd.audit.project import Project

Authorize = Callable[..., Authorization]
MICROSECOND = timedelta.resolution


@pytest.fixture
def facts(project: Project, authorize: Authorize, now: datetime) -> Callable[..., Facts]:
    """Of an OAuth authorization that is 400 days old and was renewed 10 days ago."""

    def of(**changes: object) -> Facts:
        labelled = replace(project, labels=(("team", "payments"),))
        return Facts(labelled, authorize(tag="intl", **changes), now)

    return of


@pytest.mark.parametrize(
    "text",
    [
        'name == "gh-main"',
        'repo_type != "gitlab" and repo_host == "https://api.github.com"',
        'repo_user in ["hubot", "octocat"]',
        'token_type not in ("password", "personal")',
        '"main" in name',
        'tag == "intl" and status == "normal"',
        'project == "payments" and region == "cn-north-4"',
        'labels["team"] == "payments"',
        'labels["tier"] == ""',
        'age > "399d"',
        '"401d" >= age',
        'age == "400d" and update_age != "9d"',
        "age > update_age",
        'matches(name, "gh-[a-z]+")',
        r"matches(repo_host, 'https://api\.github\.com')",
        r'matches(name, r"\w\w-main")',
        'startswith(name, "gh-") and endswith(name, "main")',
        'not startswith(name, "main")',
        "True and not False",
        '  name == "gh-main"\n  and\n  age > "1d"\n',
    ],
)
def test_it_holds_where_it_is_true(facts: Callable[..., Facts], text: str) -> None:
    assert parse_expression(text).holds(facts())
    assert not parse_expression(f"not ({text.strip()})".replace("\n", " ")).holds(facts())


@pytest.mark.parametrize(
    "text",
    [
        'age > "1d"',
        'not age > "1d"',
        "age == update_age",
        'age > "1d" and True',
        'age > "1d" or False',
        "age < update_age or age >= update_age",
    ],
)
def test_what_depends_on_an_age_that_is_not_known_does_not_hold(
    facts: Callable[..., Facts], text: str
) -> None:
    assert not parse_expression(text).holds(facts(created_at=TimestampFault.ZERO))


@pytest.mark.parametrize("text", ['age > "1d" or True', 'not (age > "1d" and False)'])
def test_what_is_certain_whatever_the_age_holds(facts: Callable[..., Facts], text: str) -> None:
    assert parse_expression(text).holds(facts(created_at=TimestampFault.ZERO))


def test_a_status_has_its_own_word(facts: Callable[..., Facts]) -> None:
    assert parse_expression('status == "overdue"').holds(facts(status=Status.OVERDUE))


def test_exactly_the_duration_is_not_beyond_it(facts: Callable[..., Facts]) -> None:
    assert not parse_expression('update_age > "10d"').holds(facts())
    assert parse_expression('update_age >= "10d"').holds(facts())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at its character 1: not an expression"),
        ("name ==", "at its character 8: not an expression"),
        ('status = "overdue"', "at its character 8: not an expression; write == to compare"),
        ('name == "ü" and tag name', "at its character 21: not an expression"),
        ('name == "a") or (name == "b"', "at its character 12: not an expression"),
        ("(" * 300, "at its character 201: not an expression"),
        ("name\ud800", "at its character 1: not an expression"),
        ('repotype == "x"', "at its character 1: unknown name; did you mean repo_type?"),
        (
            ' name == "ü"\n and agee > "3d"',
            "at its character 19: unknown name; did you mean age?",
        ),
        (
            "qqq",
            ("at its character 1: unknown name; possible here: name, repo_type, repo_host,"
            " repo_user, token_type, tag, status, project, region, age, update_age, labels"),
        ),
        ('match(name, "x")', "at its character 1: unknown function; did you mean matches?"),
        (
            'qqq(name, "x")',
            "at its character 1: unknown function; possible here: startswith, endswith, matches",
        ),
        (
            "age > 90",
            ("at its character 7: numbers and truth values are not compared;"
            ' an age needs a unit and quotes: "90d"'),
        ),
        (
            'age > "90"',
            ("at its character 7: expected a duration such as 30s, 5m, 1h30m or 90d"
            " (largest unit first, no spaces)"),
        ),
        (
            "age > name",
            ("at its character 1: an age is compared with a duration in quotes,"
            ' such as "90d", or with the other age'),
        ),
        (
            'tag < "b"',
            "at its character 1: texts are compared with == and !=; only ages have an order",
        ),
        ('tag == ["b"]', "at its character 1: a list comes after `in` only"),
        (
            'age in ["90d"]',
            "at its character 1: `in` has a text before it, and a list of texts or a text after it",
        ),
        ('tag is "b"', "at its character 1: compare with == or !=, and not with is"),
        (
            '"1d" < age < "2d"',
            "at its character 1: compare two values at a time, and join that with and",
        ),
        ("tag in ['a', 3]", "at its character 14: a list has texts in quotes, and nothing else"),
        ("labels == ''", 'at its character 1: of labels one must be named: labels["team"]'),
        ("name", 'at its character 1: expected a condition, such as status == "overdue"'),
        ("not tag", 'at its character 5: expected a condition, such as status == "overdue"'),
        ("not " * 20 + "True", "at its character 69: this is nested more than 16 deep"),
        (
            "startswith(name)",
            "at its character 1: a function takes two values, and the text comes first",
        ),
        ("startswith(age, '1')", "at its character 1: this function takes two texts"),
        ("matches(name, tag)", "at its character 15: a regular expression stands in quotes"),
        ("matches(name, '(')", "at its character 15: not a regular expression"),
        (
            "matches(name, '(a+)+')",
            ("at its character 15: this regular expression may take for ever: repeat single"
            " characters or classes and not groups, and at most 3 of them"),
        ),
        (
            "name == 'a' 'b'",
            ("at its character 9: a text stands in one line between two quotes,"
            " with none of them in it"),
        ),
        *(
            (text, "at its character 1: expected a name, a text in quotes or a list of texts")
            for text in (
                "name.upper()", "name.x == 'a'", "lambda: 1", "[x for x in y]", "name[0] == 'a'",
                'f"{name}" == "a"', "age + age > age", "None", "b'a' == name", "1j == age",
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_expression(text)


def test_an_expression_has_a_longest_length() -> None:
    text = "True".rjust(LONGEST_EXPRESSION)
    assert parse_expression(text).text == text
    with pytest.raises(ValueError, match="at most 1000 characters"):
        parse_expression(f" {text}")


def test_it_knows_what_it_looks_at() -> None:
    text = 'age > "1d" and update_age > "1d" and matches(tag, "x") or labels["team"] == project'
    assert parse_expression(text).inputs == {"created_at", "updated_at", "tag", "labels", "project"}


def test_two_of_one_text_are_the_same() -> None:
    assert parse_expression("True") == parse_expression("True")
    assert parse_expression("True") != parse_expression("False")


@given(
    st.text(max_size=60)
    | st.text(alphabet=string.printable, max_size=60)
    | st.lists(
        st.sampled_from(
            ['"a"', "name", "age", '"3d"', "==", ">", "in", "and", "not", "(", ")", "labels"]
        ),
        max_size=14,
    ).map(" ".join)
)  # fmt: skip
def test_any_text_is_an_expression_or_is_refused(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_expression(text), Expression)


_ATOMS = st.builds(
    "{} {} '{}h'".format,
    st.sampled_from(["age", "update_age"]),
    st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.integers(0, 9),
)
_CONDITIONS = st.recursive(
    _ATOMS | st.sampled_from(["True", "False"]),
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=5,
)


@given(_CONDITIONS, st.integers(0, 3))
def test_beginnings_are_all_that_a_walk_through_time_finds(text: str, lag_hours: int) -> None:
    expression = parse_expression(text)
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    authorization = Authorization(
        "a", "", "", "", "", "", Status.NORMAL, "0", start, start + timedelta(hours=lag_hours)
    )
    project = Project("p", "1", "r", "c", timedelta(1), timedelta(1))

    def holds(now: datetime) -> bool:
        return expression.holds(Facts(project, authorization, now))

    walked = []
    held = holds(start - MICROSECOND)
    for hour in range(14):
        turn = start + timedelta(hours=hour)
        for instant in (turn, turn + MICROSECOND, turn + timedelta(minutes=30)):
            is_held = holds(instant)
            walked += [turn] if is_held and not held else []
            held = is_held
    assert beginnings(holds, expression.turns(authorization)) == walked


def test_a_limit_beyond_the_end_of_time_is_never_met(authorize: Authorize) -> None:
    late = authorize(created_at=datetime.fromisoformat("9990-01-01T00:00:00+00:00"))
    assert parse_expression('age > "20y"').turns(late) == set()
