"""That alerts stay as they are while polls find what they found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from auditd.alerting.rules import Rules
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot


@quick
@dataclass(frozen=True, slots=True)
class Rest:
    """What alerts were made of after a poll that succeeded; while it is the same, so are they."""

    snapshot: ProjectSnapshot
    rules: Rules
    since: datetime
    until: datetime
    """Exclusive."""
    sighted_at: datetime | None
    """The latest `last_seen_at` of the alerts; `since` if a finding stands."""

    def goes_on(self, snapshot: ProjectSnapshot, rules: Rules, now: datetime) -> bool:
        """Whether another poll that found this can be passed over."""
        before = self.snapshot
        return (
            snapshot.findings is before.findings
            and snapshot.authorizations is before.authorizations
            and snapshot.stale_at is before.stale_at
            and snapshot.verifications is before.verifications
            and snapshot.project is before.project
            and snapshot.is_up
            and rules is self.rules
            and self.since <= now < self.until
        )
