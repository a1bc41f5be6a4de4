"""The little Markdown that a reference needs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence

_SECTION = re.compile(r"\n\s*(Raises|Args|Source):.*", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table without the columns that have nothing to say. A cell is Markdown in one line."""
    body = [*rows]
    kept = [place for place, _ in enumerate(head) if any(row[place] for row in body)]
    lines = [[row[place] for place in kept] for row in (head, ["---"] * len(head), *body)]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines) + "\n"


def code(text: object) -> str:
    """Text as it is typed."""
    return f"`{text}`"


def codes(texts: Iterable[object]) -> str:
    """Several of them."""
    return ", ".join(map(code, texts))


def fence(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n\n"


def prose(documented: object) -> str:
    """What a docstring tells readers, in one line: no arguments, errors or sources."""
    return for_readers(inspect.getdoc(documented) or "")


def for_readers(text: str) -> str:
    """What a docstring or description tells them."""
    return one_line(_SECTION.sub("", f"\n{text}"))


def one_line(text: str) -> str:
    """Any blanks and line breaks become one blank."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return one_line(text).replace("|", r"\|")
