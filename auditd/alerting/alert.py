"""One finding's life: since when it stands, whether it fires, why it ended."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from auditd.audit.quick import quick

_SEPARATOR = b"\xff"  # never part of UTF-8, so no two sets of labels give the same bytes


class AlertState(StrEnum):
    """Where an alert is in its life."""

    PENDING = "pending"
    """The finding stands, but not yet for as long as its check demands."""
    FIRING = "firing"
    RESOLVED = "resolved"


class EndReason(StrEnum):
    """Why a firing alert was resolved."""

    CLEARED = "cleared"
    """A list came and the finding was not there any more."""
    SEVERITY_CHANGED = "severity_changed"
    """The same finding stands with another severity: another alert fires for it."""
    LABELS_CHANGED = "labels_changed"
    """The same finding stands with other labels: another alert fires for it."""
    AUTHORIZATION_REMOVED = "authorization_removed"
    PROJECT_REMOVED = "project_removed"
    CHECK_DISABLED = "check_disabled"
    ACCEPTED = "accepted"
    """An exception covers the finding now."""


@quick
@dataclass(frozen=True, slots=True)
class Alert:
    """What is known of one finding over time, identified by its labels.

    An episode lasts from the finding's appearance to its end. A pending alert that fired in a
    former episode still has that one's `fired_at`, `resolved_at` and `end_reason`.
    """

    fingerprint: str
    """Of `labels`."""
    labels: Mapping[str, str]
    """Stable while the facts are; sorted by name, none is empty."""
    annotations: Mapping[str, str]
    """What people are told beside the labels; see `annotate` for what depends on the time."""
    state: AlertState
    since: datetime
    """When the condition began, where the facts tell, else `active_at`."""
    active_at: datetime
    """When the finding was first seen in this episode."""
    last_seen_at: datetime
    """When a list last had the finding."""
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    """Never before `fired_at`."""
    end_reason: EndReason | None = None
    missing_since: datetime | None = None
    """The first list without the finding, while the alert is kept firing nevertheless."""
    recent_firings: tuple[datetime, ...] = ()
    """The latest ones, ascending: what flapping is judged by."""
    is_flapping: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """The key of the finding. Of the alerts that share it at most one is not resolved."""
        return (self.labels["check"], self.labels.get("authorization", ""))

    @property
    def is_open(self) -> bool:
        """Whether the episode goes on."""
        return self.state is not AlertState.RESOLVED

    def seen_again(self, at: datetime) -> Alert:
        """The same, last seen at that instant; replace() takes three times as long."""
        return Alert(
            self.fingerprint,
            self.labels,
            self.annotations,
            self.state,
            self.since,
            self.active_at,
            at,
            self.fired_at,
            self.resolved_at,
            self.end_reason,
            self.missing_since,
            self.recent_firings,
            self.is_flapping,
        )

    @property
    def ended_episode(self) -> Alert | None:
        """The alert in its last episode that is over; None while it fires or if it never did.

        Of a pending alert it is a former one, in which the finding counts as there since the
        firing: when it had appeared then is not known any more.
        """
        if self.state is not AlertState.PENDING:
            return None if self.is_open else self
        if self.fired_at is None:
            return None
        return replace(
            self, state=AlertState.RESOLVED, since=self.fired_at, active_at=self.fired_at
        )


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """32 hexadecimal digits, the same for the same labels in whatever order, process or release."""
    texts = [
        text.encode() if text.isascii() else text.encode(errors="surrogatepass")
        for pair in sorted(labels.items())
        for text in pair
    ]
    return hashlib.sha256(_SEPARATOR.join([*texts, b""])).hexdigest()[:32]
