"""What a query may ask for. Unknown parameters are errors, and errors name the parameter.

Of a parameter that can be repeated one value must fit, and all may when there is none.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, get_origin, get_type_hints

import msgspec
from aiohttp import web

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import DeliveryState
from auditd.audit.authorization import Status
from auditd.audit.finding import Severity
from auditd.web.api_answer import ApiError, ErrorType
from auditd.web.api_fields import check_lines, convert
from auditd.web.api_fleet_view import ProjectState
from auditd.web.api_types import Cursor, Filter, Instant, Limit, Name, Names, Search

_T = TypeVar("_T", bound="Query")
_NUMBER = re.compile(r"[0-9]{1,9}")


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be asked for."""


class PageQuery(Query, frozen=True):
    """One page of something."""

    limit: Limit = 100
    cursor: Cursor = ""


class SilenceQuery(PageQuery, frozen=True):
    """Which silences."""

    q: Search = ""


class AlertQuery(PageQuery, frozen=True):
    """Which alerts."""

    state: tuple[AlertState, ...] = ()
    project: Names = ()
    alertname: Names = ()
    check: Names = ()
    severity: tuple[Severity, ...] = ()
    filter: Filter = ()
    q: Search = ""


class DeliveryQuery(PageQuery, frozen=True):
    """Which deliveries. An empty hook is any."""

    state: DeliveryState | msgspec.UnsetType = msgspec.UNSET
    hook: Name = ""


class FindingQuery(PageQuery, frozen=True):
    """Which findings."""

    project: Names = ()
    status: tuple[Status, ...] = ()
    """Of the authorization; findings about whole projects have none."""
    check: Names = ()
    severity: tuple[Severity, ...] = ()
    filter: Filter = ()
    q: Search = ""


class AuthorizationQuery(FindingQuery, frozen=True):
    """Which authorizations. With `check` or `severity` those that have such a finding."""

    authorization: Names = ()


class ProjectQuery(FindingQuery, frozen=True):
    """Which projects: those that have such authorizations, and such findings."""

    state: tuple[ProjectState, ...] = ()


class HistoryQuery(PageQuery, frozen=True):
    """Which part of a history."""

    since: Instant | msgspec.UnsetType = msgspec.UNSET


def read_query(request: web.Request, kind: type[_T]) -> _T:
    """The query of a request.

    Raises:
        ApiError: a parameter is unknown, wrong, or given twice where once makes sense.
    """
    hints = get_type_hints(kind)
    values = {
        name: _value(name, hints.get(name, str), request.query.getall(name))
        for name in request.query
    }
    return convert(values, kind)


def _value(name: str, hint: Any, texts: list[str]) -> Any:
    """What msgspec is to make of texts. By itself it would take numbers for instants as well."""
    if get_origin(hint) is tuple:
        return texts
    if len(texts) > 1:
        raise ApiError(ErrorType.BAD_DATA, f"{name}: give it once")
    text = check_lines(texts[0], name)
    return int(text) if hint is int and _NUMBER.fullmatch(text) else text
