"""How a project stands: the one thing to know of it first."""

from __future__ import annotations

from enum import StrEnum

from auditd.audit.blind import BLIND_CHECK
from auditd.audit.snapshot import ProjectSnapshot


class Condition(StrEnum):
    """From what is worst to what is best."""

    BLIND = "blind"
    """So many polls failed in a row that it counts as unseen."""
    FAILING = "failing"
    """The last poll failed, and it does not count as unseen yet."""
    FLAGGED = "flagged"
    UNSEEN = "unseen"
    """It was not polled yet."""
    FINE = "fine"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return tuple(Condition).index(self)


def condition_of(snapshot: ProjectSnapshot) -> Condition:
    """The worst that applies."""
    if any(finding.check == BLIND_CHECK for finding in snapshot.findings):
        return Condition.BLIND
    if snapshot.failure is not None:
        return Condition.FAILING
    if snapshot.findings:
        return Condition.FLAGGED
    return Condition.UNSEEN if snapshot.succeeded_at is None else Condition.FINE
