"""All that is known of one project at one instant: what metrics, page and alerts are made of."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from auditd.audit.authorization import Authorization, Listing
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding
from auditd.audit.project import Project
from auditd.audit.quick import quick
from auditd.audit.run import Policy
from auditd.audit.verification import Verification


@quick
@dataclass(frozen=True, slots=True)
class Judgement:
    """What the findings of a list rest on. Where none of it changes, they stay as they are."""

    listing: Listing
    project: Project
    policy: Policy
    fresh: AbstractSet[str]
    """The names of what this list changed: the same list again says something else of them."""
    since: datetime
    until: datetime
    """Exclusive: between the two no finding changes by time alone."""


@quick
@dataclass(frozen=True, slots=True)
class ProjectSnapshot:
    """The last list of a project and how old it is.

    A failed poll replaces only `attempted_at`, `failure`, `failures_in_a_row` and the finding
    of blindness: what was seen before stays as it was seen. What a poll leaves as it was is the
    very same object afterwards, so that who keeps one sees at once that nothing changed.
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
    judgement: Judgement | None = field(default=None, compare=False, repr=False)
    """How the last list was judged; None when that was not in this process, or has to be anew."""

    @property
    def is_up(self) -> bool:
        """Whether the last poll succeeded."""
        return self.succeeded_at is not None and self.failure is None
