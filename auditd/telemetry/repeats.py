"""Keeps one trouble that goes on and on from filling the log."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable


class Repeats:
    """Lets the first of a kind pass, then one an interval, which is a minute if not told otherwise.

    `monotonic` gives seconds. At most `capacity` kinds are remembered, those seen last; a
    forgotten kind counts as new. Not for use by several threads at once.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        capacity: int = 10_000,
    ) -> None:
        self._monotonic = monotonic
        self._capacity = capacity
        self._kinds: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        """Kind -> when it last passed, and how many were held back since."""

    def admit(self, kind: Hashable, *, interval_seconds: float = 60.0) -> int | None:
        """How many of this kind were held back since one passed; None to hold back this one too.

        Exactly an interval after the last one that passed, the next passes.
        """
        now = self._monotonic()
        passed_at, suppressed = self._kinds.pop(kind, (None, 0))
        if passed_at is not None and now - passed_at < interval_seconds:
            self._kinds[kind] = (passed_at, suppressed + 1)
            return None
        self._kinds[kind] = (now, 0)
        if len(self._kinds) > self._capacity:
            self._kinds.popitem(last=False)
        return suppressed

    def forget(self, kind: Hashable) -> None:
        """Let the next of this kind pass as the first of a new series."""
        self._kinds.pop(kind, None)
