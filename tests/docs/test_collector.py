"""What is wrong in a page is found: without this the other tests might praise anything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import yaml

from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.commands import check_shell, simple_commands, steps
from tests.docs.configuration import Readers, kind_of
from tests.docs.sandbox import Sandbox, shows

pytestmark = pytest.mark.timeout(120)

Machine = Callable[[], AbstractContextManager[Sandbox]]


def console(text: str) -> Block:
    return Block(ROOT / "README.md", 1, "console", text)


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        ("servicestage-auditd chek --config.file=a.yaml", "no command 'chek'"),
        ("cd x && sudo -u me servicestage-auditd run --config=a.yaml", "No such option"),
        ("X=1 servicestage-auditd check", "Missing option"),
        ("servicestage-auditd run --config.file=a.yaml b 2> log", "unexpected extra argument"),
        ("servicestage-auditd deliveries replay --config.file=a.yaml", "Missing argument"),
        ("make everything", "no \\['everything'\\]"),
        ("until true; do", "syntax error"),
    ],
)
def test_a_command_that_does_not_exist_is_found(command: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_shell(command)


def test_redirections_and_assignments_are_no_words_of_a_command() -> None:
    line = "A=1 b c=2 > d 2>&1 & e <f | g 'h > i' # j"
    assert [*simple_commands(line)] == [["b", "c=2"], ["e"], ["g", "h > i"]]


def test_a_command_goes_on_where_a_shell_asks_for_more() -> None:
    block = console("$ a \\\n    b\nshown\n$ echo '\n> c'\n$ cat <<E\n> d\n> E\nd\n")
    assert [(step.command, step.shown) for step in steps(block)] == [
        ("a \\\n    b", ("shown",)),
        ("echo '\nc'", ()),
        ("cat <<E\nd\nE", ("d",)),
    ]


@pytest.mark.parametrize(
    ("said", "shown", "is_shown"),
    [
        ("a b\n", ["a b"], True),
        ("a   b  \n", ["a b"], True),
        ("a 17 b\n", ["a ... b"], True),
        ("x\ny\na\n", ["...", "a"], True),
        ("a\n", ["...", "a", "..."], True),
        ("a\nb\n", ["a"], False),
        ("ab\n", ["a"], False),
        ("a\nb\n", ["a...b"], False),
        ("", ["a"], False),
    ],
)
def test_output_is_compared(said: str, shown: list[str], *, is_shown: bool) -> None:
    assert shows(said, shown) is is_shown


@pytest.mark.parametrize(
    "text",
    [
        "checks: {stale: {max_agee: 1d}}",
        "alerting: {route: {hook: a, group_by: project}}",
        "groups: [{name: g, rules: [{record: r, expr: 'sum('}]}]",
        "{scrape_configs: [{job: x}]}",
        "{receivers: [{name: a}], route: {receiver: b}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {port: 1}}",
        "{life: {period: 1s}}",
        "{basic_auth_users: {a: no-hash}}",
        "{networkPolicy: {enabledd: true}}",
        "[{name: a}]",
    ],
)
def test_yaml_that_is_wrong_is_refused(text: str, readers: Readers, tmp_path: Path) -> None:
    # Each reader has an error of its own.
    with pytest.raises(Exception) as refused:  # noqa: PT011
        readers.check(text, tmp_path)
    assert not isinstance(refused.value, KeyError | TypeError | OSError)


def test_what_a_page_leaves_out_is_completed(readers: Readers, tmp_path: Path) -> None:
    readers.check(
        "alerting:\n  route: {hook: a, routes: [{hook: b}]}\n"
        "  hooks: [{name: a, type: slack, url_file: /run/secrets/a}]\n",
        tmp_path,
    )


def test_an_expression_that_is_wrong_is_refused(readers: Readers, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="parse error"):
        readers.check_promql("up == 1\nsum by (job) (up\n", tmp_path)


def test_the_example_is_a_configuration() -> None:
    text = (ROOT / "config" / "servicestage-auditd.yaml").read_text()
    assert kind_of(yaml.safe_load(text)) == "configuration"


def test_a_block_that_does_not_say_what_it_is_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console {needs-cloud}\n$ true\n```\n")
    with pytest.raises(AssertionError, match="write LANGUAGE"):
        blocks(page)


def test_a_command_that_fails_or_shows_something_else_fails_the_page(machine: Machine) -> None:
    with machine() as reader:
        reader.follow([console("$ false\n$ echo $?\n1\n$ echo a b\na ...\n")])
        with pytest.raises(AssertionError, match="ended 1"):
            reader.follow([console("$ false\n")])
        with pytest.raises(AssertionError, match="shows:\na"):
            reader.follow([console("$ echo a\nb\n")])


def test_nothing_of_this_checkout_can_be_written_to_and_no_network_is_there(
    machine: Machine,
) -> None:
    with machine() as reader:
        assert reader.run(f"touch {ROOT}/x")[1] != 0
        assert reader.run("touch .venv/bin/x")[1] != 0
        assert reader.run("touch x")[1] == 0
        assert reader.run("cat /proc/net/route | wc -l")[0] == "1\n"
