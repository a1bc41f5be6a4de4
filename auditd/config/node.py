"""Plain data that knows where it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Self, TypeAlias

from auditd.config.problem import Place

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the root of the configuration."""

_SHOWN_KEY = re.compile(r"[A-Za-z_-]{1,40}")  # what has digits may be a secret out of place


class Text(str):
    """Text of a YAML scalar.

    `is_expanded` tells that a `${VAR}` was replaced in it: then it may stand for a number or a
    truth value, which the environment can only hold as text. `is_number` tells that it is a
    number as it was written, not in quotes: where text is expected it is that text, so that a
    project id or a password of digits only keeps its leading zeros.
    """

    __slots__ = ("is_expanded", "is_number", "place")

    place: Place
    is_expanded: bool
    is_number: bool

    def __new__(
        cls, text: str, place: Place, *, is_expanded: bool = False, is_number: bool = False
    ) -> Self:
        """Text that was written at `place`."""
        self = super().__new__(cls, text)
        self.place = place
        self.is_expanded = is_expanded
        self.is_number = is_number
        return self


class Table(dict[str, Any]):
    """A mapping. `places` has, for each key, the place of the key and of its value."""

    __slots__ = ("place", "places")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.places: dict[str, tuple[Place, Place]] = {}

    def put(self, key: str, value: Any, places: tuple[Place, Place]) -> None:
        """Set a key together with its places."""
        self[key] = value
        self.places[key] = places


class Sequence(list[Any]):
    """A list. `origins` has, for each item, its place and its position in its own file."""

    __slots__ = ("origins", "place")

    def __init__(self, place: Place, items: Iterable[tuple[Any, tuple[Place, int]]] = ()) -> None:
        self.place = place
        self.origins: list[tuple[Place, int]] = []
        super().__init__()
        for item, origin in items:
            self.append(item)
            self.origins.append(origin)

    def items(self) -> Iterator[tuple[Any, tuple[Place, int]]]:
        """Each item with its origin."""
        return zip(self, self.origins, strict=True)


def locate(root: Table, path: KeyPath, *, key: bool = False) -> tuple[Place, str]:
    """Where `path` was written and how it is shown to people.

    Of a path that does not exist the place is the nearest mapping or list around it.
    `key` asks for the place of the last key instead of its value's.
    """
    node: Any = root
    place = root.place
    shown: list[str | int] = []
    for step in path:
        if isinstance(node, Table) and step in node:
            place = node.places[str(step)][0 if key and step == path[-1] else 1]
            node = node[str(step)]
            shown.append(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node):
            place, position = node.origins[step]
            node = node[step]
            shown.append(position)
        else:
            node = None
            shown.append(step)
    return place, show(shown)


def show(path: Iterable[str | int]) -> str:
    """A path as text: `projects[0].region`. A key that is no plain word is shown as `?`."""
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        else:
            shown += ("." if shown else "") + (step if _SHOWN_KEY.fullmatch(step) else "?")
    return shown


def kind_of(value: Any) -> str:
    """What a value is, in words for people, never the value."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case Text(is_number=True):
            return "a number"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return "text"
