"""What a query demands of projects, authorizations, findings and alerts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeAlias

from aiohttp import web

from auditd.alerting.matcher import match_all
from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding
from auditd.audit.project import Project
from auditd.web.api_fields import read_matchers
from auditd.web.api_query import AlertQuery, FindingQuery
from auditd.web.guard import Guard
from auditd.web.pattern_cost import PATTERN_OPERATORS

Labels: TypeAlias = Mapping[str, str]


def guard_patterns(query: AlertQuery | FindingQuery, guard: Guard, request: web.Request) -> None:
    """Accept a query without regular expressions, which can keep this program busy, or a caller.

    Raises:
        RefusedError: it has some, and came from elsewhere.
    """
    if any(operator in text for text in query.filter for operator in PATTERN_OPERATORS):
        guard.check_caller(request)


class Demand:
    """One query, ready to be tried on many.

    Raises:
        ApiError: a filter of the query is none.
    """

    def __init__(self, query: AlertQuery | FindingQuery) -> None:
        self._checks = frozenset(query.check)
        self._severities = frozenset(query.severity)
        self._statuses = frozenset(query.status if isinstance(query, FindingQuery) else ())
        self._matchers = read_matchers(query.filter, "filter")
        self._text = query.q.casefold()

    def suits(self, labels: Callable[[], Labels], *texts: str) -> bool:
        """Whether labels fit the filters, and a label or one of `texts` has the text."""
        if not self._matchers and not self._text:
            return True
        known = labels()
        return match_all(self._matchers, known) and has_text(self._text, (*known.values(), *texts))

    def suits_findings(self, findings: Iterable[Finding]) -> bool:
        """Whether one of them is of the checks and severities, or all may be."""
        if not self._checks and not self._severities:
            return True
        return any(self.suits_grade(finding.check, finding.severity) for finding in findings)

    def suits_grade(self, check: str, severity: str) -> bool:
        """Whether both are among those that are asked for."""
        return (not self._checks or check in self._checks) and (
            not self._severities or severity in self._severities
        )

    def suits_status(self, authorizations: Collection[Authorization]) -> bool:
        """Whether one of them has such a status, or all may have any."""
        return not self._statuses or any(it.status in self._statuses for it in authorizations)


def has_text(text: str, places: Iterable[str]) -> bool:
    """Whether the casefolded `text` is in one of the places, in whatever case; empty always is."""
    return not text or text in "\n".join(places).casefold()


def labels_of_project(project: Project) -> Labels:
    """What of a project can be filtered by: its labels, and where it is."""
    return {
        **dict(project.labels),
        "project": project.name,
        "project_id": project.project_id,
        "region": project.region,
        "credential": project.credential,
    }


def labels_of_authorization(project: Project, authorization: Authorization) -> Labels:
    """What of an authorization can be filtered by: that of its project, and its own fields."""
    return {
        **labels_of_project(project),
        "authorization": authorization.name,
        "repo_type": authorization.repo_type,
        "repo_host": authorization.repo_host,
        "repo_user": authorization.repo_user,
        "token_type": authorization.token_type,
        "tag": authorization.tag,
        "status": str(authorization.status),
    }
