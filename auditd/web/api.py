"""The HTTP API: all that it has, in one table.

Whoever can connect may read. Only callers on this machine may change something, or filter by
regular expressions, which can keep this program busy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web

from auditd.web.api_alarms import AlarmsApi
from auditd.web.api_answer import ErrorType
from auditd.web.api_explanation import ExplanationApi, ExplanationView
from auditd.web.api_fleet import FleetApi
from auditd.web.api_fleet_view import AuthorizationView, FindingView, HistoryView, ProjectView
from auditd.web.api_input import AcknowledgementInput, ExpiryInput, NothingInput, SilenceInput
from auditd.web.api_page import Slices
from auditd.web.api_query import (
    AlertQuery,
    AuthorizationQuery,
    DeliveryQuery,
    FindingQuery,
    HistoryQuery,
    ProjectQuery,
    SilenceQuery,
)
from auditd.web.api_route import Call, Route, serve
from auditd.web.api_status import StatusApi, StatusView
from auditd.web.api_targets import TargetGroup, TargetsApi
from auditd.web.api_view import AlertView, DeliveryView, HookView, SilenceView
from auditd.web.fleet_office import FleetOffice
from auditd.web.guard import Guard
from auditd.web.office import AlertOffice
from auditd.web.openapi import describe

_PROJECT = "/projects/{project}"
_AUTHORIZATION = f"{_PROJECT}/authorizations/{{authorization}}"
_UNAVAILABLE = (ErrorType.UNAVAILABLE,)


def make_api(
    alerts: AlertOffice, fleet: FleetOffice, guard: Guard, *, now: Callable[[], datetime]
) -> Sequence[web.RouteDef]:
    """The routes of the API, without the prefix of the external URL.

    Args:
        alerts: knows alerts, silences, hooks and deliveries, and writes.
        fleet: knows the projects.
        guard: decides who may change something.
        now: the wall clock, aware and UTC.
    """
    routes = list_routes(alerts, fleet, guard, now=now)
    document = describe(routes)

    async def show_document(_call: Call[object, None]) -> bytes:
        return document

    shown = Route("GET", "/openapi.json", "This.", show_document, answer=None, is_bare=True)
    return serve([*routes, shown], guard)


def list_routes(
    alerts: AlertOffice, fleet: FleetOffice, guard: Guard, *, now: Callable[[], datetime]
) -> Sequence[Route]:
    """The table, but for the document that is made of it."""
    slices = Slices()
    return [
        *_fleet_routes(alerts, fleet, guard, slices, now),
        *_alarm_routes(AlarmsApi(alerts, guard, slices, now)),
    ]


def _fleet_routes(
    alerts: AlertOffice,
    fleet: FleetOffice,
    guard: Guard,
    slices: Slices,
    now: Callable[[], datetime],
) -> Sequence[Route]:
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


def _alarm_routes(api: AlarmsApi) -> Sequence[Route]:
    return [
        Route(
            "GET",
            "/alerts",
            "The alerts, by project, check and authorization.",
            api.alerts,
            query=AlertQuery,
            answer=AlertView,
            is_paged=True,
        ),
        Route(
            "POST",
            "/alerts/{id}/acknowledge",
            "Say that you know of a firing alert, so that it is not repeated.",
            api.acknowledge,
            body=AcknowledgementInput,
            answer=None,
        ),
        Route(
            "GET",
            "/silences",
            "The silences, by their begin.",
            api.silences,
            query=SilenceQuery,
            answer=SilenceView,
            is_paged=True,
        ),
        Route(
            "POST",
            "/silences",
            "Silence alerts for a time.",
            api.create_silence,
            body=SilenceInput,
            answer=SilenceView,
        ),
        Route(
            "DELETE",
            "/silences/{id}",
            "End a silence now.",
            api.expire_silence,
            body=ExpiryInput,
            answer=None,
        ),
        Route(
            "GET",
            "/deliveries",
            "The deliveries, the newest first.",
            api.deliveries,
            query=DeliveryQuery,
            answer=DeliveryView,
            errors=_UNAVAILABLE,
            is_paged=True,
        ),
        Route(
            "GET",
            "/deliveries/{id}",
            "One delivery, with what it says.",
            api.delivery,
            answer=DeliveryView,
            errors=_UNAVAILABLE,
        ),
        Route(
            "POST",
            "/deliveries/{id}/replay",
            "Owe a dead delivery again.",
            api.replay,
            body=NothingInput,
            answer=DeliveryView,
        ),
        Route(
            "GET",
            "/hooks",
            "The hooks, and what they are owed.",
            api.hooks,
            answer=tuple[HookView, ...],
            errors=_UNAVAILABLE,
        ),
        Route(
            "POST",
            "/hooks/{hook}/enable",
            "Tell a hook again that was switched off.",
            api.enable_hook,
            body=NothingInput,
            answer=None,
        ),
    ]
