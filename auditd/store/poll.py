"""What a poll made of a project, as it is to be recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from auditd.alerting.alert import Alert
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store.state import PollTimes


@quick
@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll made of a project, see `Store.record_poll`."""

    at: datetime
    """Now."""
    snapshot: ProjectSnapshot
    alerts: tuple[Alert, ...]
    transitions: tuple[Transition, ...]
    groups: tuple[Group, ...]

    @property
    def project(self) -> str:
        """The project's name."""
        return self.snapshot.project.name

    @property
    def times(self) -> PollTimes:
        """What every poll changes."""
        return PollTimes(
            attempted_at=self.snapshot.attempted_at,
            succeeded_at=self.snapshot.succeeded_at,
            failures_in_a_row=self.snapshot.failures_in_a_row,
            sighted_at=max((alert.last_seen_at for alert in self.alerts), default=None),
        )
