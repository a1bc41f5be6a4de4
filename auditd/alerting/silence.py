"""What people asked not to be told of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.matcher import Matcher, match_all


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that fit all matchers are not told of for a time.

    Raises:
        ValueError: it ends before it begins, or it fits alerts of any labels.
    """

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    """Exclusive."""
    author: str
    comment: str

    def __post_init__(self) -> None:
        if self.ends_at <= self.starts_at:
            msg = "a silence must end after it begins"
            raise ValueError(msg)
        if match_all(self.matchers, {}):
            msg = "a silence needs a matcher that does not fit empty labels, or it silences all"
            raise ValueError(msg)

    def covers(self, labels: Mapping[str, str], now: datetime) -> bool:
        """Whether these labels are silenced now."""
        return self.starts_at <= now < self.ends_at and match_all(self.matchers, labels)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows of a firing alert: it is not repeated. It ends with the episode."""

    fingerprint: str
    fired_at: datetime
    """The alert's, which tells the episode."""
    at: datetime
    author: str
    comment: str

    def covers(self, alert: Alert) -> bool:
        """Whether this is the alert, and the episode goes on."""
        return alert.state is AlertState.FIRING and (alert.fingerprint, alert.fired_at) == (
            self.fingerprint,
            self.fired_at,
        )
