"""Which alerts a page shows, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from auditd.alerting.alert import Alert, AlertState
from auditd.audit.finding import Severity
from auditd.web.office import AlertOffice

_SLICE = 200
"""Alerts that are looked at before others have their turn; about a millisecond."""

STATES = (AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)
"""In the order in which they matter."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, and what keeps it from being told: reasons with commas between, maybe none."""

    alert: Alert
    suppression: str

    @property
    def severity(self) -> Severity:
        """From its labels."""
        return Severity(self.alert.labels["severity"])

    @property
    def ended_at(self) -> datetime | None:
        """When it was resolved; None while its episode goes on."""
        return None if self.alert.is_open else self.alert.resolved_at


@dataclass(frozen=True, slots=True)
class AlertChoice:
    """What is asked for. What is None or empty is not looked at."""

    state: AlertState | None = None
    severity: Severity | None = None
    project: str = ""
    authorization: str | None = None
    text: str = ""

    def fits(self, alert: Alert) -> bool:
        """Whether an alert is asked for. The text may stand in any of its labels."""
        labels = alert.labels
        wanted = self.text.casefold()
        return (
            (self.state is None or alert.state is self.state)
            and (self.severity is None or labels["severity"] == self.severity)
            and (self.authorization is None or labels.get("authorization") == self.authorization)
            and (not wanted or any(wanted in value.casefold() for value in labels.values()))
        )


async def choose(office: AlertOffice, choice: AlertChoice) -> Sequence[Told]:
    """What is asked for, firing before pending before resolved.

    Then what is told before what is kept quiet, the more severe first, then the newest.
    """
    chosen = []
    for number, alert in enumerate([*office.known(choice.project or None)], 1):
        if choice.fits(alert):
            told = Told(alert, office.suppression(alert))
            chosen.append((_urgency(told), told))
        if number % _SLICE == 0:
            await asyncio.sleep(0)
    chosen.sort(key=itemgetter(0))
    return [told for _, told in chosen]


def _urgency(told: Told) -> tuple[int, bool, int, float, str]:
    alert = told.alert
    moved_at = told.ended_at or alert.fired_at or alert.active_at
    return (
        STATES.index(alert.state),
        bool(told.suppression),
        -told.severity.rank,
        -moved_at.timestamp(),
        alert.fingerprint,
    )
