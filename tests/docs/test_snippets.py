"""Every block of code in README, guides and deployment pages is put to use, or to its reader."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, blocks, consoles, pages, spoken_commands
from tests.docs.commands import check_shell, steps
from tests.docs.configuration import Readers
from tests.docs.sandbox import Sandbox

pytestmark = pytest.mark.timeout(180)

BLOCKS = blocks()
NEEDS = {
    "needs-root": r"\b(sudo|apt|apt-get|install|systemd-creds)\b",
    "needs-systemd": r"\b(systemctl|systemd-\w+|journalctl)\b",
    "needs-docker": r"\b(docker|podman)\b",
    "needs-kubernetes": r"\b(kubectl|helm|kustomize)\b",
    "needs-cloud": r"\b(run|check|discover|test|hcloud|simulate)\b|myhuaweicloud",
    "needs-network": r"\b(pip|pipx|git clone|make|curl|apt)\b",
}
PLUGINS = {
    ROOT / "docs" / "contributing" / f"{name}.md" for name in ("check", "hook", "credential")
}
"""Their configurations need what the pages install before: a test of their own tries both."""
FOLLOWED = {ROOT / "docs" / "quickstart.md", *PLUGINS}
"""By tests of their own."""
PLAIN = {"text", "http", "ini", "jinja", "diff"}
"""Shown, not given to anything."""


def named(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def each(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", named(*languages), ids=str)


def test_every_block_says_of_which_kind_it_is_and_it_is_one_that_is_checked() -> None:
    known = {"console", "yaml", "json", "promql", "python", "toml", *PLAIN}
    assert [f"{it}: {it.language}" for it in BLOCKS if it.language not in known] == []
    assert len(named("yaml")) > 5
    assert len(named("console")) > 5


@each("console")
def test_a_mark_is_one_that_we_know_and_its_reason_is_in_the_block(block: Block) -> None:
    assert block.classes <= NEEDS.keys()
    for mark in block.classes:
        assert re.search(NEEDS[mark], block.text), mark


@each("console")
def test_all_of_ours_in_a_command_exists(block: Block) -> None:
    for step in steps(block):
        check_shell(step.command)


def test_all_of_ours_in_a_sentence_exists() -> None:
    spoken = spoken_commands()
    assert spoken
    for _, text in spoken:
        check_shell(text, is_mention=True)


@pytest.mark.parametrize("block", [it for it in named("yaml") if it.file not in PLUGINS], ids=str)
def test_yaml_is_taken_by_what_reads_it(block: Block, readers: Readers, tmp_path: Path) -> None:
    readers.check(block.text, tmp_path)


@each("promql")
def test_an_expression_parses(block: Block, readers: Readers, tmp_path: Path) -> None:
    readers.check_promql(block.text, tmp_path)


@each("json", "python", "toml")
def test_other_languages_parse(block: Block) -> None:
    readers: dict[str, Callable[[str], object]] = {
        "json": json.loads,
        "python": ast.parse,
        "toml": tomllib.loads,
    }
    readers[block.language](block.text)


@pytest.mark.parametrize(
    "page",
    [page for page in pages() if consoles(page) and page not in FOLLOWED],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_the_commands_of_a_page_do_what_it_shows(
    page: Path, machine: Callable[[], AbstractContextManager[Sandbox]]
) -> None:
    with machine() as reader:
        reader.follow(consoles(page))
