"""Who has failed too often."""

from __future__ import annotations

from datetime import datetime, timedelta


class Lockout:
    """Locks a subject for `lock` at its `limit`th failure in a row.

    With a window only failures within it count. The failures are forgotten when the lock ends.
    """

    def __init__(self, *, limit: int, lock: timedelta, window: timedelta | None = None) -> None:
        self._limit = limit
        self._lock = lock
        self._window = window
        self._failed_at: dict[str, list[datetime]] = {}
        self._locked_until: dict[str, datetime] = {}

    def is_locked(self, subject: str, now: datetime) -> bool:
        """Whether it is refused whatever it brings; at the end of the lock it is free."""
        until = self._locked_until.get(subject)
        if until is not None and now >= until:
            del self._locked_until[subject]
            return False
        return until is not None

    def fail(self, subject: str, now: datetime) -> None:
        """Count a failure, which may lock the subject."""
        recent = [
            at
            for at in self._failed_at.get(subject, [])
            if self._window is None or now - at < self._window
        ]
        recent.append(now)
        if len(recent) >= self._limit:
            self._locked_until[subject] = now + self._lock
            recent = []
        self._failed_at[subject] = recent

    def succeed(self, subject: str) -> None:
        """Forget the failures."""
        self._failed_at.pop(subject, None)

    def locked(self, now: datetime) -> list[str]:
        """All that are locked now, sorted."""
        return sorted(subject for subject, until in self._locked_until.items() if now < until)
