"""The HTTP API: all that it has, and its own description.

Whoever can connect may read. Only those whom the guard lets may change something, or filter by
regular expressions, which can keep this program busy: who logged in, or else is on this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web

from auditd.web.api_alarm_routes import alarm_routes
from auditd.web.api_alarms import AlarmsApi
from auditd.web.api_fleet_routes import fleet_routes
from auditd.web.api_page import Slices
from auditd.web.api_route import Call, Route, serve
from auditd.web.fleet_office import FleetOffice
from auditd.web.guard import Guard
from auditd.web.office import AlertOffice
from auditd.web.openapi import describe


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
        *fleet_routes(alerts, fleet, guard, slices, now),
        *alarm_routes(AlarmsApi(alerts, guard, slices, now)),
    ]
