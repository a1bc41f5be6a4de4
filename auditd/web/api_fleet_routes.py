"""What the HTTP API has of the fleet and what was found in it, in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from auditd.web.api_answer import ErrorType
from auditd.web.api_explanation import ExplanationApi, ExplanationView
from auditd.web.api_fleet import FleetApi
from auditd.web.api_fleet_view import AuthorizationView, FindingView, HistoryView, ProjectView
from auditd.web.api_page import Slices
from auditd.web.api_query import AuthorizationQuery, FindingQuery, HistoryQuery, ProjectQuery
from auditd.web.api_route import Route
from auditd.web.api_status import StatusApi, StatusView
from auditd.web.api_targets import TargetGroup, TargetsApi
from auditd.web.fleet_office import FleetOffice
from auditd.web.guard import Guard
from auditd.web.office import AlertOffice

_PROJECT = "/projects/{project}"
_AUTHORIZATION = f"{_PROJECT}/authorizations/{{authorization}}"
_UNAVAILABLE = (ErrorType.UNAVAILABLE,)


def fleet_routes(
    alerts: AlertOffice,
    fleet: FleetOffice,
    guard: Guard,
    slices: Slices,
    now: Callable[[], datetime],
) -> Sequence[Route]:
    """The table."""
    api = FleetApi(fleet, guard, slices)
    return [
        Route(
            "GET",
            "/status",
            "The daemon and the fleet in figures.",
            StatusApi(fleet, alerts, slices).status,
            answer=StatusView,
        ),
        Route(
            "GET",
            "/projects",
            "The projects, by name.",
            api.projects,
            query=ProjectQuery,
            answer=ProjectView,
            is_paged=True,
        ),
        Route("GET", _PROJECT, "One project.", api.project, answer=ProjectView),
        Route(
            "GET",
            f"{_PROJECT}/history",
            "What became of a project and its authorizations, the newest first.",
            api.history,
            query=HistoryQuery,
            answer=HistoryView,
            errors=_UNAVAILABLE,
            is_paged=True,
        ),
        Route(
            "GET",
            _AUTHORIZATION,
            "One authorization as it was listed last.",
            api.authorization,
            answer=AuthorizationView,
        ),
        Route(
            "GET",
            f"{_AUTHORIZATION}/history",
            "What became of an authorization, the newest first.",
            api.history,
            query=HistoryQuery,
            answer=HistoryView,
            errors=_UNAVAILABLE,
            is_paged=True,
        ),
        Route(
            "GET",
            f"{_AUTHORIZATION}/explanation",
            "Why each check fires on an authorization or does not, and what results.",
            ExplanationApi(fleet, alerts, now).explanation,
            answer=ExplanationView,
        ),
        Route(
            "GET",
            "/authorizations",
            "The authorizations of all projects, by project and name.",
            api.authorizations,
            query=AuthorizationQuery,
            answer=AuthorizationView,
            is_paged=True,
        ),
        Route(
            "GET",
            "/findings",
            "What the last polls found, by project, check and authorization.",
            api.findings,
            query=FindingQuery,
            answer=FindingView,
            is_paged=True,
        ),
        Route(
            "GET",
            "/targets",
            "The projects as scrape targets, for Prometheus' HTTP service discovery.",
            TargetsApi(fleet, slices).targets,
            answer=tuple[TargetGroup, ...],
            is_bare=True,
        ),
    ]
