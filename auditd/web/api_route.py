"""One table says what the API has: it is served, and described, by the same rows."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Generic, TypeVar

from aiohttp import hdrs, web

from auditd.web.api_answer import ApiError, ErrorType, bare, failure, success
from auditd.web.api_input import read_body, read_id, read_name
from auditd.web.api_page import Page
from auditd.web.api_query import Query, read_query
from auditd.web.guard import Guard, RefusedError

ROOT = "/api/v1"
ID = "id"
"""The part of a path that is an id; any other is a name, which may be any text."""

_PART = re.compile(r"\{(\w+)\}")

_QueryT_co = TypeVar("_QueryT_co", covariant=True)
_BodyT_co = TypeVar("_BodyT_co", covariant=True)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call(Generic[_QueryT_co, _BodyT_co]):
    """A request as its handler gets it: read, and allowed."""

    request: web.Request
    query: _QueryT_co
    body: _BodyT_co
    parts: Mapping[str, str] = field(default_factory=dict)
    """Of the path."""


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for.

    A handler returns the data of the answer, or a Page of them. One with a body changes
    something, and so is guarded, and fails while the state cannot be written.
    """

    method: str
    path: str
    """Below the root."""
    summary: str
    """One sentence."""
    handler: Callable[[Call[Any, Any]], Awaitable[object]]
    _: KW_ONLY
    answer: Any
    """The type of the data; of one entry when `is_paged`; None for `null`."""
    query: type[Query] = Query
    body: type[Any] | None = None
    errors: tuple[ErrorType, ...] = ()
    """Beside those that follow from the rest."""
    is_paged: bool = False
    is_bare: bool = False
    """Whether the answer comes without the envelope, as another specification wants it."""

    @property
    def parts(self) -> Sequence[str]:
        """The names of the variable parts of the path."""
        return _PART.findall(self.path)

    @property
    def pattern(self) -> str:
        """The path as aiohttp matches it; its own parts take no braces."""
        return _PART.sub(r"{\1:[^/]+}", self.path)


def serve(routes: Iterable[Route], guard: Guard) -> list[web.RouteDef]:
    """The handlers of all routes, and of whatever else is asked for below the root."""
    served = [
        web.RouteDef(route.method, ROOT + route.pattern, _answering(route, guard), {})
        for route in routes
    ]
    return [*served, *(web.route("*", ROOT + path, _refuse) for path in ("", "/{_:.*}"))]


def _answering(route: Route, guard: Guard) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            data = await route.handler(await _read(route, guard, request))
        except RefusedError as error:
            return failure(ErrorType.FORBIDDEN, str(error))
        except ApiError as error:
            return failure(error.type, str(error))
        except Exception:  # noqa: BLE001 -- so that the answer has the envelope; it is logged
            _log.exception("%s %s failed inside this program", route.method, ROOT + route.path)
            message = "this failed inside this program; please report it with its log"
            return failure(ErrorType.INTERNAL, message)
        if route.is_bare:
            return bare(data)
        return success(data.entries, data.next) if isinstance(data, Page) else success(data)

    return answer


async def _read(route: Route, guard: Guard, request: web.Request) -> Call[Any, Any]:
    if route.body:
        guard.check_change(request)
    query = read_query(request, route.query)
    parts = {
        name: read_id(text) if name == ID else read_name(text)
        for name, text in request.match_info.items()
    }
    body = await read_body(request, route.body) if route.body else None
    return Call(request, query, body, parts)


async def _refuse(request: web.Request) -> web.Response:
    """What is asked for is not in the table, or not with this method."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        _, methods = await resource.resolve(request)
        allowed |= methods - {hdrs.METH_ANY}
    if not allowed:
        return failure(ErrorType.NOT_FOUND, f"there is nothing here; see {ROOT}/openapi.json")
    methods_text = ", ".join(sorted(allowed))
    refusal = failure(ErrorType.METHOD_NOT_ALLOWED, f"this takes {methods_text}")
    refusal.headers[hdrs.ALLOW] = methods_text
    return refusal
