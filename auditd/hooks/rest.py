"""That alerts stay as they are while polls find what they found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from auditd.alerting.evidence import Key
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

    def standing(self, snapshot: ProjectSnapshot, rules: Rules, now: datetime) -> Collection[Key]:
        """The keys of findings whose alerts stay as they are, though others do not."""
        before = self.snapshot
        if not (snapshot.project is before.project and self._holds(snapshot, rules, now)):
            return ()
        then, listed = before.authorizations or {}, snapshot.authorizations or {}
        known = {finding.key: finding for finding in before.findings}
        return [
            finding.key
            for finding in snapshot.findings
            if known.get(finding.key) is finding
            and listed.get(finding.authorization) is then.get(finding.authorization)
        ]

    def goes_on(self, snapshot: ProjectSnapshot, rules: Rules, now: datetime) -> bool:
        """Whether another poll that found this can be passed over."""
        before = self.snapshot
        return (
            snapshot.findings is before.findings
            and snapshot.authorizations is before.authorizations
            and snapshot.stale_at is before.stale_at
            and snapshot.verifications is before.verifications
            and snapshot.project is before.project
            and self._holds(snapshot, rules, now)
        )

    def _holds(self, snapshot: ProjectSnapshot, rules: Rules, now: datetime) -> bool:
        return snapshot.is_up and rules is self.rules and self.since <= now < self.until
