"""Plain data that knows where it was written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from auditd.config.problem import Place
from auditd.config.scalar import resolve

T = TypeVar("T")

_SHOWN_KEY = re.compile(r"[A-Za-z_-]{1,40}")  # what has digits may be a secret out of place


@dataclass(slots=True, eq=False, repr=False)  # a value may be a secret
class Node:
    """A value of a YAML file: None, a bool, text, a list of nodes or a dict of nodes by key.

    `step` is the key or list position in `parent`; `key_place` is where the key stands, and for
    other nodes the same as `place`.
    """

    value: Any
    place: Place
    key_place: Place
    parent: Node | None = None
    step: str | int = ""
    is_number: bool = False
    """A number as it was written, not in quotes: where text is expected it is that text, so that
    a project id or a password of digits only keeps its leading zeros."""
    is_expanded: bool = False
    """A `${VAR}` was replaced in it: then it may stand for a number or a truth value, which the
    environment can only hold as text."""

    @property
    def path(self) -> str:
        """As text: `projects[0].region`. A key that is no plain word is shown as `?`."""
        around = self.parent.path if self.parent else ""
        if isinstance(self.step, int):
            return f"{around}[{self.step}]"
        shown = self.step if _SHOWN_KEY.fullmatch(self.step) else "?"
        return f"{around}.{shown}" if around else shown if self.step else ""

    @property
    def resolved(self) -> Any:
        """The value where no text is expected."""
        return resolve(self.value) if self.is_number or self.is_expanded else self.value

    @property
    def kind(self) -> str:
        """What the value is, in words for people, never the value."""
        match self.value:
            case None:
                return "nothing"
            case bool():
                return "true or false"
            case dict():
                return "a mapping"
            case list():
                return "a list"
            case _:
                return "a number" if self.is_number else "text"

    def child(self, key: str) -> Node | None:
        """What a mapping has under a key; None when there is nothing, or when it is no mapping."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        return None if found is None or found.value is None else found

    def absent(self, key: str) -> Node:
        """A stand-in for a key that is not there: its place is the mapping's."""
        return Node(None, self.place, self.place, self, key)

    def section(self, key: str) -> Node:
        """What a mapping has under a key; an empty mapping when there is nothing."""
        found = self.value.get(key) if isinstance(self.value, dict) else None
        found = found or self.absent(key)
        return replace(found, value={}) if found.value is None else found

    def beside(self) -> Path:
        """The text as a path; a relative one starts beside the file that it is written in."""
        return Path(self.place.file).parent / self.text()

    def fell(self) -> None:
        """Take the tree apart: it and all below have no parents any more."""
        self.parent = None
        match self.value:
            case dict() as values:
                children = [*values.values()]
            case list() as children:
                pass
            case _:
                return
        for child in children:
            child.fell()

    def need(self, kind: type[T], what: str) -> T:
        """The value when it is of this kind.

        Raises:
            ValueError: it is not; `what` says in words what was expected.
        """
        value = self.value if kind is str else self.resolved
        if type(value) is not kind:
            msg = f"expected {what}, found {self.kind}"
            raise ValueError(msg)
        return value

    def text(self) -> str:
        """The value when it is text; otherwise raises ValueError."""
        return self.need(str, "text")

    def items(self) -> list[Node]:
        """The items of a list; raises ValueError when it is none."""
        if isinstance(self.value, str):
            msg = f"expected a list, found {self.kind}; put [ ] around it"
            raise ValueError(msg)  # noqa: TRY004 -- what is written is no type of ours
        return self.need(list, "a list")

    def table(self) -> dict[str, Node]:
        """The values of a mapping by key; raises ValueError when it is none."""
        return self.need(dict, "a mapping")
