"""Takes typed values out of a configuration's data and notes what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from auditd.config.fault import Fault, faults, unknown_key
from auditd.config.keeper import Keeper
from auditd.config.node import KeyPath, Sequence, Table, kind_of, locate
from auditd.config.problem import Place, Problem, Problems
from auditd.config.shape import Shape
from auditd.config.suggestion import did_you_mean, one_of

T = TypeVar("T")


class Reader:
    """A configuration's data, its problems and its warnings."""

    def __init__(self, root: Table, problems: Problems, keeper: Keeper | None = None) -> None:
        self.root = root
        self.warnings: list[Problem] = []
        self._problems = problems
        self._keeper = keeper

    def read(self, path: KeyPath, shape: Shape[T]) -> T | None:
        """What is at `path`; None, with problems noted, when it is not of that shape.

        A key that is absent or null is read as an empty mapping.
        """
        data = self.at(path)
        data = Table(locate(self.root, path)[0]) if data is None else data
        try:
            return shape.read(data, self._keeper)
        except ValidationError as error:
            for fault in faults(error, data, shape.keys_at):
                self._report(fault, path)
            return None

    def each(self, path: KeyPath, shape: Shape[T]) -> list[tuple[KeyPath, T]]:
        """The items of a list that are of that shape, with their paths."""
        read = ((place, self.read(place, shape)) for place in self.items(path))
        return [(place, item) for place, item in read if item is not None]

    def each_kind(self, path: KeyPath, shapes: Mapping[str, Shape[T]]) -> list[tuple[KeyPath, T]]:
        """Like `each`, where the key `type` of an item tells its shape."""
        found = []
        for place in self.items(path):
            shape = self._shape(place, shapes)
            if shape and (item := self.read(place, shape)) is not None:
                found.append((place, item))
        return found

    def items(self, path: KeyPath) -> Iterator[KeyPath]:
        """The paths of a list's items; none, with a problem noted, when it is no list."""
        items = self.at(path)
        if isinstance(items, Sequence):
            yield from ((*path, position) for position in range(len(items)))
        elif items is not None:
            self.complain(path, f"expected a list, found {kind_of(items)}")

    def at(self, path: KeyPath) -> Any:
        """The data at `path`, None when there is none."""
        data: Any = self.root
        for step in path:
            if not isinstance(data, Table | Sequence):
                return None
            try:
                data = data[step]  # type: ignore[index] # a wrong step is an error, as handled
            except (KeyError, IndexError, TypeError):
                return None
        return data

    def has_keys(self, path: KeyPath, valid: Iterable[str]) -> bool:
        """Whether there is a mapping at `path`; complains of keys that are not valid in it."""
        table = self.at(path)
        if table is not None and not isinstance(table, Table):
            self.complain(path, f"expected a mapping, found {kind_of(table)}")
        if not isinstance(table, Table):
            return False
        for key in table.keys() - set(valid):
            self._report(unknown_key((*path, key), valid))
        return True

    def names(self, path: KeyPath) -> dict[str, None]:
        """The names of a list's items, those with problems included."""
        items = (self.at((*item, "name")) for item in self.items(path))
        return {str(name): None for name in items if isinstance(name, str)}

    def place_of(self, path: KeyPath) -> Place:
        """Where the value at `path` was written."""
        return locate(self.root, path)[0]

    def complain(self, path: KeyPath, message: str, *, key: bool = False) -> None:
        """Note a problem of the value at `path`, or of the key itself."""
        self._problems.add(*locate(self.root, path, key=key), message)

    def warn(self, path: KeyPath, message: str) -> None:
        """Note something that can be used, but hardly was meant so."""
        self.warnings.append(Problem(*locate(self.root, path), message))

    def refer(self, path: KeyPath, name: str, names: Iterable[str], what: str) -> None:
        """Complain when `name`, which is written at `path`, is none of `names`."""
        if name not in names:
            hint = did_you_mean(name, names)
            self.complain(path, f"no {what} has this name{hint}")

    def unique(self, path: KeyPath, key: Any, seen: dict[Any, Place], what: str) -> None:
        """Complain when `key`, which is written at `path`, was seen before."""
        if key in seen:
            self.complain(path, f"this {what} is already used at {seen[key]}")
        seen.setdefault(key, self.place_of(path))

    def _report(self, fault: Fault, path: KeyPath = ()) -> None:
        at = (*path, *fault.path)
        place, shown = locate(self.root, at, key=fault.at_key)
        if not fault.shows_key:
            _, shown = locate(self.root, at[:-1])
        self._problems.add(place, shown, fault.message)

    def _shape(self, path: KeyPath, shapes: Mapping[str, Shape[T]]) -> Shape[T] | None:
        item = self.at(path)
        if not isinstance(item, Table):
            self.complain(path, f"expected a mapping, found {kind_of(item)}")
            return None
        kind = item.get("type")
        if isinstance(kind, str) and kind in shapes:
            return shapes[kind]
        expected = f"expected {one_of(shapes)}"
        if "type" not in item:
            self.complain((*path, "type"), f"this key is required: {expected}")
        else:
            hint = did_you_mean(kind, shapes) if isinstance(kind, str) else ""
            self.complain((*path, "type"), expected + hint)
        return None
