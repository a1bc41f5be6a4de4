"""How much of something a receiver takes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable


def most_that_fit(count: int, fits: Callable[[int], bool]) -> int:
    """The largest number from 1 to `count` that fits; 0 when none does.

    Of a number below `count` that fits every smaller one must fit, too.
    """
    if count and fits(count):
        return count
    return bisect_left(range(1, count), True, key=lambda number: not fits(number))  # noqa: FBT003 -- the key looked for


def cut_lines(text: str, fits: Callable[[str], bool]) -> str:
    """As many whole lines as fit, so that no entity or link is cut through; maybe none.

    A last line `…` stands for the rest.
    """
    lines = text.splitlines()

    def first(count: int) -> str:
        return "\n".join(lines if count == len(lines) else [*lines[:count], "…"])

    count = most_that_fit(len(lines), lambda count: fits(first(count)))
    return first(count) if count else ""
