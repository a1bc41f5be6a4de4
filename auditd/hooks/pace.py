"""How many messages a receiver takes in a minute."""

from __future__ import annotations

from collections import deque

_WINDOW_SECONDS = 60.0


class Pace:
    """At most `per_minute` messages in any 60 seconds, the first of them at once.

    Instants are seconds on a monotonic clock. None is no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._taken: deque[float] | None = deque(maxlen=per_minute) if per_minute else None

    def free_at(self, now: float) -> float:
        """When the next message may be sent: `now` or later."""
        taken = self._taken
        if taken is None or len(taken) != taken.maxlen:
            return now
        return max(now, taken[0] + _WINDOW_SECONDS)

    def take(self, now: float) -> None:
        """One is sent now."""
        if self._taken is not None:
            self._taken.append(now)

    def at(self, per_minute: int | None) -> Pace:
        """Another pace that knows what was sent at this one."""
        pace = Pace(per_minute)
        for instant in self._taken or ():
            pace.take(instant)
        return pace
