"""The blocks of code in README, guides and other pages, and what each of them says it is.

A fence says `LANGUAGE`, or `LANGUAGE {.needs-ROOT}` for what only works elsewhere. A paragraph
that ends in "as `FILE`:" asks the reader to save the block that follows under that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent.parent
_INFO = re.compile(r"(?P<language>[a-z]+)( \{(?P<classes>(\.[a-z-]+ ?)+)\})?")
_SAVE = re.compile(r"\bas\s+`(?P<name>[\w./-]+)`:$")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code. `text` ends with a line break unless it is empty."""

    file: Path
    line: int
    """Of its first line of text, from 1."""
    language: str
    """Empty for an indented block, which cannot say."""
    text: str
    classes: frozenset[str] = frozenset()
    saved_as: str | None = None

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Everything that people read: README and the like, guides, and how to deploy it."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/README.md")]
    found += ROOT.glob(".github/**/*.md")
    return sorted(path for path in found if "_build" not in path.parts)


def blocks(*files: Path) -> list[Block]:
    """The blocks of these pages, or of all, in the order in which they are read."""
    return [block for file in files or pages() for block in _blocks(file)]


def consoles(file: Path) -> list[Block]:
    """What a reader of this page does in order: files to save, and commands that work anywhere."""
    return [
        block
        for block in blocks(file)
        if block.saved_as or (block.language == "console" and not block.classes)
    ]


def spoken_commands() -> list[tuple[Path, str]]:
    """Calls of our command in the middle of a sentence, with the page that has them."""
    found = []
    for file in pages():
        for token in MarkdownIt("commonmark").enable("table").parse(file.read_text("utf-8")):
            inline = [each.content for each in token.children or () if each.type == "code_inline"]
            found += [(file, text) for text in inline if text.startswith("servicestage-auditd ")]
    return found


def _blocks(file: Path) -> Iterator[Block]:
    said = ""
    for token in MarkdownIt("commonmark").parse(file.read_text("utf-8")):
        if token.type == "inline":
            said = token.content
        elif token.type == "code_block":
            yield Block(file, _line(token), "", token.content)
        elif token.type == "fence" and not token.info.startswith("{"):
            yield _fence(file, token, said)
            said = ""


def _fence(file: Path, token: Token, said: str) -> Block:
    info = _INFO.fullmatch(token.info.strip())
    assert info, f"{file}:{_line(token)}: {token.info!r}: write LANGUAGE or LANGUAGE {{.CLASS}}"
    classes = frozenset((info["classes"] or "").replace(".", " ").split())
    save = _SAVE.search(said)
    return Block(
        file, _line(token) + 1, info["language"], token.content, classes, save and save["name"]
    )


def _line(token: Token) -> int:
    assert token.map
    return token.map[0] + 1
