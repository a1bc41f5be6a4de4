"""The times of one poll, as events tell them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from auditd.polling.agenda import Slot


class Timing:
    """How late a poll could begin and how long its list took."""

    def __init__(
        self, slot: Slot, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._slot = slot
        self._now = now
        self._monotonic = monotonic
        self._lag: float | None = None
        self._begun: float | None = None
        self._ended: float | None = None

    def begin(self) -> None:
        """The request can be sent now."""
        self._lag = self._lag_now()
        self._begun = self._monotonic()

    def end(self) -> None:
        """The list is here."""
        self._ended = self._monotonic()

    def lag_seconds(self) -> float:
        """From the slot to the moment the request could be sent; to now if it never could."""
        return self._lag_now() if self._lag is None else self._lag

    def duration_seconds(self) -> float:
        """From that moment to the list, or to now; 0 if the request was never sent."""
        if self._begun is None:
            return 0.0
        return (self._monotonic() if self._ended is None else self._ended) - self._begun

    def _lag_now(self) -> float:
        return max(0.0, (self._now() - self._slot.at).total_seconds())
