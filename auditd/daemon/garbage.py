"""Garbage collection that fits a process which holds much for long.

CPython looks through everything that lives each time that grew by a quarter, with all else
standing still: 60 ms and more for 100,000 authorizations, and a tenth of all work while the first
lists come in.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_AT_FIRST = (20_000, 20, 20)
"""New objects, then collections of the young and of the middle-aged. Nearly all that is made while
the first lists come in stays."""
_LATER = (1_000, 2, 5_000)
"""Each stands still for less: of a million authorizations, whose snapshots are replaced all the
time, 5,000 young objects and the middle-aged took up to 29 ms, of 1,000 they take up to 7. What
only a collection frees, closed connections above all, is young when it is no longer needed; of
the rest some megabytes may wait."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Collect seldom, and never look again at what was imported."""
    former = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_AT_FIRST)
    try:
        yield
    finally:
        gc.set_threshold(*former)
        gc.unfreeze()


def keep_residents() -> None:
    """Never look again at what lives now: every list was read once, and most stay as they are.

    From now on each collection is a short one.

    What is replaced later is freed as ever, by its count of references.
    """
    gc.collect(0)
    gc.freeze()
    gc.set_threshold(*_LATER)
