"""The times of one poll, as events tell them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from auditd.polling.agenda import Slot


class Timing:
    """How late a poll could begin and how long its list took. Both count once it has ended."""

    __slots__ = (
        "_begun",
        "_is_over",
        "_monotonic",
        "_now",
        "_slot",
        "duration_seconds",
        "lag_seconds",
    )

    def __init__(
        self, slot: Slot, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._slot = slot
        self._now = now
        self._monotonic = monotonic
        self._begun: float | None = None
        self._is_over = False
        self.lag_seconds = 0.0
        """From the slot to the moment the request could be sent; to the end if it never could."""
        self.duration_seconds = 0.0
        """From that moment to the end; 0 if the request was never sent."""

    def begin(self) -> None:
        """The request can be sent now."""
        self.lag_seconds = max(0.0, (self._now() - self._slot.at).total_seconds())
        self._begun = self._monotonic()

    def end(self) -> None:
        """The list is here, or will not come. What is told again is not heard."""
        if self._is_over:
            return
        self._is_over = True
        if self._begun is None:
            self.begin()
        else:
            self.duration_seconds = self._monotonic() - self._begun
