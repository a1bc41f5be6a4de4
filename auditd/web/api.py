"""The HTTP API for alerts, silences and deliveries.

Whoever can connect may read. Only callers on this machine may change something, or filter by
regular expressions, which can keep this program busy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web
from msgspec import UNSET

from auditd.alerting.alert import Alert
from auditd.alerting.matcher import Matcher, match_all
from auditd.web.api_answer import ApiError, ErrorType, answering, asking_the_office
from auditd.web.api_fields import check_instant, check_line, check_lines, read_matchers
from auditd.web.api_input import (
    AcknowledgementInput,
    AlertQuery,
    ExpiryInput,
    ReplayInput,
    SilenceInput,
    read_alert_query,
    read_body,
    read_delivery_query,
    read_id,
)
from auditd.web.api_view import (
    AlertView,
    DeliveryView,
    SilenceView,
    view_alert,
    view_delivery,
    view_silence,
    view_whole_delivery,
)
from auditd.web.guard import Guard
from auditd.web.office import AlertOffice
from auditd.web.pattern_cost import PATTERN_OPERATORS

_ROOT = "/api/v1"


def make_api(
    office: AlertOffice, guard: Guard, *, now: Callable[[], datetime]
) -> Sequence[web.RouteDef]:
    """The routes of the API, without the prefix of the external URL.

    Args:
        office: knows and writes.
        guard: decides who may change something.
        now: the wall clock, aware and UTC.
    """
    api = _Api(office, guard, now)
    return [
        web.get(f"{_ROOT}/alerts", answering(api.alerts)),
        web.post(f"{_ROOT}/alerts/{{id}}/acknowledge", answering(api.acknowledge)),
        web.get(f"{_ROOT}/silences", answering(api.silences)),
        web.post(f"{_ROOT}/silences", answering(api.create_silence)),
        web.delete(f"{_ROOT}/silences/{{id}}", answering(api.expire_silence)),
        web.get(f"{_ROOT}/deliveries", answering(api.deliveries)),
        web.get(f"{_ROOT}/deliveries/{{id}}", answering(api.delivery)),
        web.post(f"{_ROOT}/deliveries/{{id}}/replay", answering(api.replay)),
    ]


class _Api:
    """One method a route; each returns what is shown."""

    def __init__(self, office: AlertOffice, guard: Guard, now: Callable[[], datetime]) -> None:
        self._office = office
        self._guard = guard
        self._now = now

    async def alerts(self, request: web.Request) -> Sequence[AlertView]:
        query = read_alert_query(request)
        if any(operator in text for text in query.filter for operator in PATTERN_OPERATORS):
            self._guard.check_caller(request)
        matchers = read_matchers(query.filter, "filter")
        now = self._now()
        return [
            view_alert(alert, suppression, now)
            for alert, suppression in self._office.alerts()
            if _is_asked_for(alert, query, matchers)
        ]

    async def acknowledge(self, request: web.Request) -> None:
        self._guard.check_change(request)
        fingerprint = read_id(request, "alert")
        wanted = await read_body(request, AcknowledgementInput)
        author = check_line(wanted.author, "author")
        comment = check_lines(wanted.comment, "comment")
        with asking_the_office():
            await self._office.acknowledge(fingerprint, author, comment)

    async def silences(self, _request: web.Request) -> Sequence[SilenceView]:
        now = self._now()
        return [view_silence(silence, now) for silence in self._office.silences()]

    async def create_silence(self, request: web.Request) -> SilenceView:
        self._guard.check_change(request)
        wanted = await read_body(request, SilenceInput)
        now = self._now()
        starts_at = check_instant(wanted.starts_at or now, "starts_at")
        ends_at = check_instant(wanted.ends_at, "ends_at")
        if ends_at <= now:
            raise ApiError(ErrorType.BAD_DATA, "ends_at: must not have passed")
        matchers = read_matchers(wanted.matchers, "matchers")
        author = check_line(wanted.author, "author")
        comment = check_lines(wanted.comment, "comment")
        with asking_the_office():
            silence = await self._office.create_silence(
                matchers, starts_at, ends_at, author, comment
            )
        return view_silence(silence, now)

    async def expire_silence(self, request: web.Request) -> None:
        self._guard.check_change(request)
        silence_id = read_id(request, "silence")
        wanted = await read_body(request, ExpiryInput)
        author = check_line(wanted.author, "author")
        with asking_the_office():
            await self._office.expire_silence(silence_id, author)

    async def deliveries(self, request: web.Request) -> Sequence[DeliveryView]:
        query = read_delivery_query(request)
        state = None if query.state is UNSET else query.state
        hook, before = (text or None for text in (query.hook, query.before))
        with asking_the_office():
            found = await self._office.deliveries(state, hook, query.limit, before)
        return [view_delivery(delivery) for delivery in found]

    async def delivery(self, request: web.Request) -> DeliveryView:
        delivery_id = read_id(request, "delivery")
        with asking_the_office():
            return view_whole_delivery(await self._office.delivery(delivery_id))

    async def replay(self, request: web.Request) -> DeliveryView:
        self._guard.check_change(request)
        delivery_id = read_id(request, "delivery")
        await read_body(request, ReplayInput)
        with asking_the_office():
            return view_whole_delivery(await self._office.replay(delivery_id))


def _is_asked_for(alert: Alert, query: AlertQuery, matchers: tuple[Matcher, ...]) -> bool:
    labels = alert.labels
    return (
        (not query.state or alert.state in query.state)
        and (not query.project or labels["project"] in query.project)
        and (not query.alertname or labels["alertname"] in query.alertname)
        and match_all(matchers, labels)
    )
