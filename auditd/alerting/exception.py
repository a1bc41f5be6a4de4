"""Findings that somebody accepted for a while."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.finding import Finding
from auditd.audit.match import MatchField, matches
from auditd.audit.project import Project

_NO_AUTHORIZATION = Authorization(
    name="",
    repo_type="",
    repo_host="",
    repo_user="",
    token_type="",
    tag="",
    status=Status.UNKNOWN,
    raw_status="",
    created_at=TimestampFault.MISSING,
    updated_at=TimestampFault.MISSING,
)
"""What a finding about the whole project is matched against."""


@dataclass(frozen=True, slots=True)
class AcceptedFinding:
    """One of `exceptions`: what fits is no alert until `until`, at which it is one again.

    Every pattern must fit as a whole. Blindness is accepted only by an exception that gives a
    check: one that names a project accepts what is seen of it, not that nothing is seen.
    """

    match: Mapping[MatchField, re.Pattern[str]]
    check: re.Pattern[str] | None
    """None is every check."""
    owner: str
    reason: str
    until: datetime
    """Exclusive."""

    def covers(
        self, finding: Finding, project: Project, authorization: Authorization | None
    ) -> bool:
        """Whether this is what was accepted, be it over or not."""
        if self.check is None:
            is_check = finding.check != BLIND_CHECK
        else:
            is_check = self.check.fullmatch(finding.check) is not None
        return is_check and matches(self.match, project, authorization or _NO_AUTHORIZATION)


def last_acceptance(
    accepted: Iterable[AcceptedFinding],
    finding: Finding,
    project: Project,
    authorization: Authorization | None,
) -> AcceptedFinding | None:
    """Of the exceptions that cover a finding the one that ends last."""
    covering = (item for item in accepted if item.covers(finding, project, authorization))
    return max(covering, key=lambda item: (item.until, item.owner, item.reason), default=None)
