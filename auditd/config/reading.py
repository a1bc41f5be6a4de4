"""One pass over a configuration's nodes: what is wrong, what is suspicious, and its secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, TypeVar

from auditd.config.node import Node
from auditd.config.problem import Place, Problem, Problems
from auditd.config.secret import Keeper
from auditd.config.suggestion import did_you_mean, nearest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Schema: TypeAlias = dict[str, Any]


class RefusedError(Exception):
    """A value cannot be used, and its problems are told already."""


class Form(Protocol[T_co]):
    """What a value must be like."""

    def read(self, node: Node, reading: Reading, /) -> T_co:
        """The node as a value.

        Raises:
            ValueError: it is none; the message is for people and quotes nothing.
            RefusedError: a part of it is none, which is told already.
        """

    def schema(self, definitions: Schema, /) -> Schema:
        """The form as JSON Schema; `definitions` takes what it refers to."""


class Reading:
    """Turns nodes into values and notes the problems. `keeper` makes the secrets."""

    def __init__(self, problems: Problems, keeper: Keeper | None = None) -> None:
        self.keeper = keeper
        self.warnings: list[Problem] = []
        self._problems = problems

    def attempt(self, node: Node, read: Callable[[Node, Reading], T]) -> list[T]:
        """What a form's `read` makes of the node; nothing, with problems noted, when it fails."""
        try:
            return [read(node, self)]
        except ValueError as error:
            self.complain(node, str(error))
        except RefusedError:
            pass
        return []

    def read(self, node: Node, form: Form[T]) -> T | None:
        """The node as a value; None, with problems noted, when it is none."""
        return next(iter(self.attempt(node, form.read)), None)

    def read_all(self, nodes: Iterable[tuple[Node, Form[T]]]) -> list[T]:
        """All values, after all of them were tried.

        Raises:
            RefusedError: at least one is none.
        """
        found = [self.attempt(node, form.read) for node, form in nodes]
        if not all(found):
            raise RefusedError
        return [value for (value,) in found]

    def each(self, node: Node | None, form: Form[T]) -> list[tuple[Node, T]]:
        """The usable items of a list that may be absent, with their nodes."""
        listed = self.attempt(node, lambda node, _: node.items()) if node else []
        return [
            (item, value)
            for items in listed
            for item in items
            for value in self.attempt(item, form.read)
        ]

    def named(self, node: Node | None, form: Form[T]) -> list[tuple[Node, T]]:
        """Like `each`, where each item has a key `name` that may not repeat."""
        found = self.each(node, form)
        seen: dict[Any, Place] = {}
        for item, _ in found:
            if name := item.child("name"):
                self.unique(name, name.value, seen, "name")
        return found

    def has_keys(self, node: Node, valid: Iterable[str]) -> bool:
        """Whether there is a mapping; complains of keys that are not valid in it."""
        for table in self.attempt(node, lambda node, _: node.table()):
            for key in table.keys() - set(valid):
                self.unknown_key(table[key], valid)
            return True
        return False

    def complain(self, node: Node, message: str, *, key: bool = False) -> None:
        """Note a problem of a value, or of its key."""
        self._problems.add(node.key_place if key else node.place, node.path, message)

    def unknown_key(self, node: Node, valid: Iterable[str]) -> str | None:
        """Complain of the key of `node`. Returns the valid one that was probably meant.

        An unknown key is only shown when it is like a valid one: it may be a misplaced secret.
        """
        if meant := nearest(str(node.step), valid):
            self.complain(node, f"unknown key; did you mean {meant!r}?", key=True)
        else:
            path = node.parent.path if node.parent else ""
            message = f"unknown key; possible here: {', '.join(valid)}"
            self._problems.add(node.key_place, path, message)
        return meant

    def warn(self, node: Node, message: str) -> None:
        """Note something that can be used, but hardly was meant so."""
        self.warnings.append(Problem(node.place, node.path, message))

    def refer(self, node: Node, names: Iterable[str], what: str, section: str) -> None:
        """Complain when the text of a node is none of `names`, which a section defines."""
        if node.value not in names:
            remedy = did_you_mean(node.value, names) or f"; add it to `{section}`"
            self.complain(node, f"no {what} has this name{remedy}")

    def unique(self, node: Node, key: Any, seen: dict[Any, Place], what: str) -> None:
        """Complain when `key`, which is written at the node, was seen before."""
        if key in seen:
            self.complain(node, f"this {what} is already used at {seen[key]}")
        seen.setdefault(key, node.place)


def names_in(node: Node | None) -> dict[str, None]:
    """The names of a list's items, in order, those with problems included.

    Of a mapping, which is told of elsewhere, the keys are taken for names.
    """
    if node and isinstance(node.value, dict):
        return dict.fromkeys(node.value)
    items = node.value if node and isinstance(node.value, list) else ()
    names = (name.value for item in items if (name := item.child("name")))
    return {name: None for name in names if isinstance(name, str)}
