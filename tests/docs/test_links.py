"""Links between files lead somewhere where they are read in the repository, too."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from myst_parser.mdit_to_docutils.base import default_slugify

from tests.docs.blocks import ROOT, pages

_TARGET = re.compile(r"(?m)^\(([\w-]+)\)=$|<span id=\"(\w+)\">")


def links(page: Path) -> Iterator[str]:
    for token in _inline(page):
        for child in token.children or ():
            target = child.attrs.get("href") or child.attrs.get("src")
            if target and not re.match(r"[a-z]+:", str(target)):
                yield str(target)


def anchors(page: Path) -> set[str]:
    text = page.read_text("utf-8")
    found = {name for pair in _TARGET.findall(text) for name in pair if name}
    tokens = MarkdownIt("commonmark").parse(text)
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open":
            slug = default_slugify("".join(_words(inline)))
            found.add(slug)
    return found


def _words(inline: Token) -> Iterator[str]:
    return (child.content for child in inline.children or () if child.content)


def _inline(page: Path) -> list[Token]:
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
    return [token for token in tokens if token.type == "inline"]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in links(page):
        path, _, fragment = link.partition("#")
        target = (page.parent / unquote(path)).resolve() if path else page
        assert target.exists(), link
        if fragment and target.suffix == ".md":
            assert fragment in anchors(target), link


def test_there_are_links() -> None:
    assert sum(len([*links(page)]) for page in pages()) > 100
