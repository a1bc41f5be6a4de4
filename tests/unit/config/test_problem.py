from __future__ import annotations

from auditd.config.problem import SHOWN_PROBLEMS, ConfigError, Place, Problem, Problems
from auditd.config.suggestion import did_you_mean, nearest, one_of


def test_problems_are_told_in_the_order_of_the_files() -> None:
    error = ConfigError(
        [
            Problem(Place("b", 1, 1), "", "third"),
            Problem(Place("a", 10, 1), "x", "second"),
            Problem(Place("a", 9, 20), "x.y", "first"),
            Problem(Place("a"), "", "of the file"),
        ]
    )
    assert str(error).splitlines() == [
        "a: of the file",
        "a:9:20: x.y: first",
        "a:10:1: x: second",
        "b:1:1: third",
    ]


def test_a_flood_of_problems_is_cut_in_the_text_only() -> None:
    error = ConfigError(Problem(Place("a", line, 1), "", "x") for line in range(1, 1001))
    assert len(error.problems) == 1000
    assert str(error).splitlines()[SHOWN_PROBLEMS:] == ["... and 950 more problems"]


def test_what_follows_from_a_problem_is_not_told_at_the_same_place() -> None:
    problems = Problems()
    for message in ("cause", "consequence"):
        problems.add(Place("a", 1, 1), "x", message)
    problems.add(Place("a", 1, 1), "y", "another")
    assert [problem.message for problem in problems.error().problems] == ["cause", "another"]


def test_a_suggestion_ignores_case_and_needs_a_likeness() -> None:
    assert nearest("pollInterval", ["poll_timeout", "poll_interval"]) == "poll_interval"
    assert did_you_mean("PROD", ["prod"]) == "; did you mean 'prod'?"
    assert did_you_mean("xyz", ["prod"]) == ""
    assert nearest("prod" * 100, ["prod"]) is None


def test_choices_are_a_list_in_words() -> None:
    assert [one_of("a"), one_of("ab"), one_of("abc")] == ["a", "a or b", "a, b or c"]
