from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.config.document import DEPTH_LIMIT, Document
from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from tests.unit.config.plain import plain


def read_node(text: str, problems: Problems | None = None) -> Any:
    return Document(
        text, "a.yaml", environ={"N": "7"}, problems=Problems() if problems is None else problems
    ).read()


def read(text: str, problems: Problems | None = None) -> Any:
    return plain(read_node(text, problems))


def find(text: str, *steps: str | int) -> Node:
    node = read_node(text)
    for step in steps:
        node = node.value[step]
    assert isinstance(node, Node)
    return node


def messages(text: str) -> list[str]:
    problems = Problems()
    read(text, problems)
    return [str(problem) for problem in problems.error().problems]


def test_everything_knows_where_it_was_written() -> None:
    text = "a:\n  - b: x\n    c: [1, é, z]\n"
    assert read(text) == {"a": [{"b": "x", "c": ["1", "é", "z"]}]}
    for steps, line, column, path in (
        (("a", 0), 2, 5, "a[0]"),
        (("a", 0, "b"), 2, 8, "a[0].b"),
        (("a", 0, "c", 2), 3, 15, "a[0].c[2]"),
    ):
        node = find(text, *steps)
        assert (node.place, node.path) == (Place("a.yaml", line, column), path)
    assert find(text, "a", 0, "c").key_place == Place("a.yaml", 3, 5)


def test_what_is_missing_stands_where_its_mapping_begins() -> None:
    absent = find("a:\n  - b: x\n", "a", 0).absent("z")
    assert (absent.place, absent.path) == (Place("a.yaml", 2, 5), "a[0].z")


def test_a_key_that_is_no_plain_word_is_not_shown() -> None:
    assert find("'a b': {c: 1}", "a b", "c").path == "?.c"


def test_a_secret_where_a_key_should_be_is_not_shown() -> None:
    assert messages("{token: {s3cr3t, s3cr3t}}")[0].startswith("a.yaml:1:18: token.?: this key is")


def test_text_from_the_environment_is_marked_and_cannot_become_yaml() -> None:
    text = "a: ${N}\nb: '${X:-[1, 2]}'\nc: plain\n"
    assert read(text) == {"a": "7", "b": "[1, 2]", "c": "plain"}
    assert [find(text, key).is_expanded for key in "abc"] == [True, True, False]


def test_aliases_repeat_values_and_whole_parts() -> None:
    text = "a: &x {k: [1]}\nb: *x\nc: [*x]\n"
    assert read(text) == {"a": {"k": ["1"]}, "b": {"k": ["1"]}, "c": [{"k": ["1"]}]}
    assert find(text, "b").place == Place("a.yaml", 2, 4)
    assert (find(text, "b", "k").place, find(text, "b", "k").path) == (
        Place("a.yaml", 1, 11),
        "a.k",
    )


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "a: &x {b: {c: *x}}\n", "b: &x 1\na: &x [*x]"])
def test_a_value_that_contains_itself_is_refused(text: str) -> None:
    (message,) = messages(text)
    assert "contains itself" in message


def test_an_anchor_within_one_of_the_same_name_can_be_repeated() -> None:
    assert read("a: &x [&x [1], *x]\n") == {"a": [["1"], ["1"]]}


def test_a_number_is_kept_as_it_was_written() -> None:
    text = "a: 007\nb: '007'\nc: 1e3\nd: true\n"
    assert read(text) == {"a": "007", "b": "007", "c": "1e3", "d": True}
    kinds = [find(text, key).kind for key in "abcd"]
    assert kinds == ["a number", "text", "a number", "true or false"]


def test_a_quoted_number_and_a_tagged_one_are_text() -> None:
    assert read("a: '1'\nb: !!str 2\nc: !!str\n") == {"a": "1", "b": "2", "c": ""}


@pytest.mark.parametrize("text", ["a: !!python/object:os.system x", "a: !x {b: 1}", "a: !x [1]"])
def test_other_tags_are_refused_and_not_quoted(text: str) -> None:
    (message,) = messages(text)
    assert "a.yaml:1:4" in message
    assert "!x" not in message
    assert "python" not in message


def test_the_first_of_two_values_is_kept_and_the_second_told() -> None:
    problems = Problems()
    assert read("a: 1\nb: 2\na: {c: 3}\n", problems) == {"a": "1", "b": "2"}
    assert str(problems.error()) == "a.yaml:3:1: a: this key is already set at a.yaml:1:1"


def test_problems_that_do_not_end_the_document_are_all_told() -> None:
    assert len(messages("a: !x y\n1: z\nb: ${NO}\n? [c]\n: d\n<<: {}\ne: *e\n")) == 6


def test_depth_is_bounded_whatever_is_nested() -> None:
    assert read_node("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT) is not None
    for text in ("[" * 100_000, "{a: " * 100_000, "- " * 100_000):
        assert "nested more than 64 deep" in messages(text)[0]


def test_a_long_document_without_aliases_has_no_budget() -> None:
    assert len(read("[" + "1," * 250_000 + "]")) == 250_000


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#,?~<\n\t $\\"))
def test_any_text_is_data_or_a_problem_with_a_line(text: str) -> None:
    problems = Problems()
    value = read(text, problems)
    assert value is None or isinstance(value, dict | list | str | bool)
    for problem in problems.error().problems:
        assert problem.place.line >= 1
        assert problem.place.column >= 1
