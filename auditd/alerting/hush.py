"""Why a firing alert is not told of."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from auditd.alerting.alert import Alert
from auditd.alerting.inhibition import is_inhibited
from auditd.alerting.route import RouteSettings
from auditd.alerting.silence import Acknowledgement, Silence


class Suppression(StrEnum):
    """What keeps a firing alert from being told."""

    SILENCED = "silenced"
    INHIBITED = "inhibited"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"
    """The route is not active at this time."""


@dataclass(frozen=True, slots=True)
class Hush:
    """All that can suppress an alert, whatever its route."""

    silences: tuple[Silence, ...] = ()
    acknowledgements: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """By fingerprint."""
    blind_projects: AbstractSet[str] = frozenset()

    def suppression(
        self, alert: Alert, settings: RouteSettings, now: datetime
    ) -> Suppression | None:
        """The first reason that applies, None when the alert is to be told."""
        acknowledgement = self.acknowledgements.get(alert.fingerprint)
        if any(silence.covers(alert.labels, now) for silence in self.silences):
            return Suppression.SILENCED
        if is_inhibited(alert, self.blind_projects):
            return Suppression.INHIBITED
        if acknowledgement and acknowledgement.covers(alert):
            return Suppression.ACKNOWLEDGED
        return None if settings.is_active(now) else Suppression.MUTED
