"""The values that a user's own condition compares."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from auditd.audit.facts import TEXTS, Age, Facts

_QUOTED = re.compile(r"""[rR]?(?:"([^"\n]*)"|'([^'\n]*)')""")
_LABELS = "labels"
NAMES = (*TEXTS, *Age, _LABELS)


class FaultError(Exception):
    """What stands at a node is not part of the language. The message quotes nothing."""

    def __init__(self, node: ast.expr, message: str) -> None:
        super().__init__(message)
        self.node = node


@dataclass(frozen=True, slots=True)
class Text:
    """A text; with `literal` it is always that one."""

    of: Callable[[Facts], str]
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts."""

    words: frozenset[str]


Operand: TypeAlias = Text | Texts | Age


def read_operand(node: ast.expr, source: str) -> Operand:
    """What a node of `source` stands for.

    Raises:
        FaultError: it is no value of the language.
    """
    match node:
        case ast.Constant(value=str()):
            return _literal(node, source)
        case ast.Constant(value=int() | float()):
            msg = 'numbers and truth values are not compared; an age needs a unit and quotes: "90d"'
            raise FaultError(node, msg)
        case ast.Name(id=name) if name in TEXTS:
            return Text(TEXTS[name])
        case ast.Name(id=name) if name in set(Age):
            return Age(name)
        case ast.Subscript(value=ast.Name(id="labels"), slice=ast.Constant(value=str()) as label):
            name = _literal(label, source).literal or ""
            return Text(lambda facts: facts.label(name))
        case ast.Name(id="labels"):
            raise FaultError(node, 'of labels one must be named: labels["team"]')
        case ast.Name(id=name):
            raise FaultError(node, unknown("name", name, NAMES))
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return Texts(frozenset(_word(item, source) for item in items))
    raise FaultError(node, "expected a name, a text in quotes or a list of texts")


def unknown(what: str, word: str, known: Collection[str]) -> str:
    """What to say of an unknown word. It is not quoted: it may be a secret out of place."""
    near = get_close_matches(word.casefold(), known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"possible here: {', '.join(known)}"
    return f"unknown {what}; {remedy}"


def _word(node: ast.expr, source: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _literal(node, source).literal or ""
    raise FaultError(node, "a list has texts in quotes, and nothing else")


def _literal(node: ast.Constant, source: str) -> Text:
    """A backslash is a backslash, since most texts that have one are regular expressions."""
    quoted = _QUOTED.fullmatch(ast.get_source_segment(source, node) or "")
    if quoted is None:
        raise FaultError(
            node, "a text stands in one line between two quotes, with none of them in it"
        )
    text = quoted[1] or quoted[2] or ""
    return Text(lambda _: text, text)
