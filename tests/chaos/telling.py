"""What every hook must have been told, from the trail alone: the reference to compare with.

A message tells all that fires at its instant, and the end of what was told before as firing. It
is sent only if there is something in it that the hook does not know. What fires in a project
that is blind is left out; what came and went between two messages is never told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from auditd.alerting.delivery import Delivery
from auditd.alerting.notification import NotifiedStatus
from auditd.audit.blind import BLIND_ALERT
from auditd.store.trail import TrailEntry, TrailKind
from tests.chaos.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Episode:
    """The last one of an alert."""

    starts_at: datetime
    ends_at: datetime | None
    is_blindness: bool


Told: TypeAlias = set[tuple[str, NotifiedStatus, datetime, datetime | None]]
"""Fingerprint, status, start and end of each alert in a message."""


def telling_faults(evidence: Evidence, hooks: Sequence[str]) -> Iterator[str]:
    """Messages that are not what they had to be, and what was never told."""
    projects = {entry.detail["project"] for entry in evidence.transitions}
    for hook in hooks:
        for project in sorted(projects):
            reference = _Reference(evidence.transitions, project)
            for delivery in evidence.deliveries:
                if (delivery.hook, _project(delivery)) == (hook, project):
                    yield from reference.compare(delivery)
            yield from reference.conclude(hook)


def _project(delivery: Delivery) -> str:
    return delivery.notification.group_labels["project"]


class _Reference:
    """What one hook knows of one project."""

    def __init__(self, transitions: Sequence[TrailEntry], project: str) -> None:
        self._coming = deque(it for it in transitions if it.detail["project"] == project)
        self._episodes: dict[str, Episode] = {}
        self._known: set[str] = set()
        """The fingerprints of what the hook believes to be firing."""

    def compare(self, delivery: Delivery) -> Iterator[str]:
        self._advance(delivery.notification.at)
        due, is_news = self._due()
        told: Told = {
            (it.fingerprint, it.status, it.starts_at, it.ends_at)
            for it in delivery.notification.alerts
        }
        if told != due:
            yield f"{delivery.id} tells {told - due} too much and {due - told} too little"
        elif not is_news:
            yield f"{delivery.id} tells nothing new"
        ended = {it[0] for it in due if it[1] is NotifiedStatus.RESOLVED}
        self._known = (self._known | {it[0] for it in due}) - ended

    def conclude(self, hook: str) -> Iterator[str]:
        self._advance(None)
        due, is_news = self._due()
        if is_news:
            yield f"{hook} was never told {due}"

    def _advance(self, to: datetime | None) -> None:
        while self._coming and (to is None or self._coming[0].at <= to):
            entry = self._coming.popleft()
            self._episodes[entry.subject] = (
                Episode(entry.at, None, is_blindness=entry.detail["alertname"] == BLIND_ALERT)
                if entry.kind == TrailKind.ALERT_FIRED
                else Episode(self._episodes[entry.subject].starts_at, entry.at, is_blindness=False)
            )

    def _due(self) -> tuple[Told, bool]:
        """What a message sent now has to tell, and whether there is news in it."""
        open_ = {key: it for key, it in self._episodes.items() if it.ends_at is None}
        is_blind = any(it.is_blindness for it in open_.values())
        told = {key: it for key, it in open_.items() if it.is_blindness or not is_blind}
        ended = {key: self._episodes[key] for key in self._known - open_.keys()}
        due: Told = {
            (
                key,
                NotifiedStatus.RESOLVED if it.ends_at else NotifiedStatus.FIRING,
                it.starts_at,
                it.ends_at,
            )
            for key, it in (told | ended).items()
        }
        return due, bool(ended or told.keys() - self._known)
