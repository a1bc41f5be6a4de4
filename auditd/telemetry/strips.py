"""Keeps the fragments of each family in a row, until one of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from auditd.telemetry.family import Family
from auditd.telemetry.fragment import Fragment, Strip


class Strips:
    """The strip of each family.

    Args:
        fragments: gives all that there are of a family now.
    """

    def __init__(self, fragments: Callable[[Family], Iterable[Fragment]]) -> None:
        self._fragments = fragments
        self._strips: dict[str, Strip] = {}
        """By the name of the family; one that is out of date is not there."""

    def drop(self, family: Family) -> None:
        """Something of this family has changed."""
        self._strips.pop(family.name, None)

    def drop_all(self) -> None:
        """Something of each family may have changed."""
        self._strips.clear()

    def renew(self, families: Iterable[Family]) -> Iterator[None]:
        """Make those that are not there, in steps of much less than a millisecond."""
        for family in families:
            if family.name not in self._strips:
                strip = Strip()
                yield from strip.take(self._fragments(family))
                self._strips[family.name] = strip

    def __getitem__(self, family: Family) -> Strip:
        """As it was renewed last; it never changes."""
        return self._strips[family.name]
