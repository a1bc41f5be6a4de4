"""How long a credential rests because the remote side wants fewer requests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from auditd.audit.events import CredentialThrottled, Emit

THROTTLE_SECONDS = 60.0
"""The rest after a 429 that does not say how long; up to a quarter more is added at random."""

_NEWS_SECONDS = THROTTLE_SECONDS / 4
"""So much longer than what was told already is told; calls under way are all answered with 429."""


class Throttle:
    """One credential's rest, on the loop's monotonic clock; `now` is for what is told of it."""

    def __init__(
        self,
        credential: str,
        *,
        now: Callable[[], datetime],
        random: Callable[[], float],
        emit: Emit,
    ) -> None:
        self._credential = credential
        self._now = now
        self._random = random
        self._emit = emit
        self._told_until = -math.inf
        self.ends_at = -math.inf

    @property
    def left_seconds(self) -> float:
        """Until it ends; 0 or less when there is none."""
        return self.ends_at - _time()

    @property
    def is_on(self) -> bool:
        """Whether nothing may be sent now."""
        return self.ends_at > -math.inf and self.left_seconds > 0

    def begin(self, seconds: float | None) -> None:
        """Rest for `seconds` at least; None when the remote side did not say."""
        if seconds is None:
            seconds = THROTTLE_SECONDS * (1 + self._random() / 4)
        self.ends_at = max(self.ends_at, _time() + seconds)
        if self.ends_at - self._told_until > _NEWS_SECONDS:
            self._told_until = self.ends_at
            held_until = self._now() + timedelta(seconds=self.left_seconds)
            self._emit(CredentialThrottled(self._credential, held_until))


def _time() -> float:
    return asyncio.get_running_loop().time()
