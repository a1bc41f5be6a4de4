"""The ages at which an authorization is stale: the first limit, and those that grade it higher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from auditd.audit.authorization import Authorization, known_time
from auditd.audit.finding import Severity
from auditd.audit.policy import Check, Observation
from auditd.audit.project import Project

_STALE = "stale"
_JUST_BEYOND = timedelta(microseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _JUST_BEYOND


@dataclass(frozen=True, slots=True)
class AgeLimit:
    """Beyond this age the authorization is stale with this severity."""

    age: timedelta
    severity: Severity


def limits_of(
    checks: Iterable[Check], project: Project, authorization: Authorization
) -> list[AgeLimit]:
    """What the check `stale` holds against it, the override that matches or else all tiers.

    Ascending; none when that check is not enabled, or the update time is not known.
    """
    limits = [
        limit
        for check in checks
        if check.name == _STALE
        for limit in _limits(check, project, authorization)
    ]
    return sorted(limits, key=lambda limit: limit.age)


def _limits(check: Check, project: Project, authorization: Authorization) -> Iterator[AgeLimit]:
    """What the check says just beyond each instant at which it can change its mind."""
    updated_at = known_time(authorization.updated_at)
    for turn in check.turns(project, authorization):
        now = min(turn, _LAST) + _JUST_BEYOND
        listed = {authorization.name: authorization}
        for finding in check.inspect(Observation(project, (authorization,), listed, None, now)):
            if updated_at:
                yield AgeLimit(turn - updated_at, finding.severity)
