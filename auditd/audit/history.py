"""What became of a project and its authorizations over time: what timelines and replays read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auditd.audit.authorization import Authorization
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding


class HistoryKind(StrEnum):
    """What can become of them."""

    AUTHORIZATION_ADDED = "authorization.added"
    """Also each one of a project's first list."""
    AUTHORIZATION_CHANGED = "authorization.changed"
    AUTHORIZATION_REMOVED = "authorization.removed"
    FINDING_FLAGGED = "finding.flagged"
    """Also one whose severity is another now."""
    FINDING_CLEARED = "finding.cleared"
    POLLS_FAILED = "polls.failed"
    """The first failed poll after one that succeeded, or one for another reason."""
    POLLS_RECOVERED = "polls.recovered"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that became of one of them."""

    at: datetime
    project: str
    kind: HistoryKind
    authorization: str = ""
    """Empty for what is about the project itself."""
    listed: Authorization | None = None
    """As listed from then on; of one that was removed, as it was listed last."""
    fields: tuple[str, ...] = ()
    """The fields of the authorization that changed, sorted."""
    finding: Finding | None = None
    reason: FailureReason | None = None
    """Why the poll failed."""
    seq: int = 0
    """Grows with each entry that is stored; 0 for one that is not."""
