"""All that is known of one project at one instant: what metrics, page and alerts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from auditd.audit.authorization import Authorization
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding
from auditd.audit.project import Project
from auditd.audit.verification import Verification


@dataclass(frozen=True, slots=True)
class ProjectSnapshot:
    """The last list of a project and how old it is.

    A failed poll replaces only `attempted_at`, `failure`, `failures_in_a_row` and the finding
    of blindness: what was seen before stays as it was seen.
    `authorizations` is None until a first poll succeeded, then one entry a name, sorted.
    """

    project: Project
    attempted_at: datetime | None = None
    succeeded_at: datetime | None = None
    failure: FailureReason | None = None
    """Why the last poll failed; None when it succeeded or there was none."""
    failure_message: str = ""
    failures_in_a_row: int = 0
    authorizations: Mapping[str, Authorization] | None = None
    findings: tuple[Finding, ...] = ()
    """Sorted by key."""
    stale_at: Mapping[str, datetime] = field(default_factory=dict)
    """Authorization name -> when `stale` fires, or fired."""
    verifications: Mapping[str, Verification] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Whether the last poll succeeded."""
        return self.succeeded_at is not None and self.failure is None
