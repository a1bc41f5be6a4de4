"""Everything that is served over HTTP, under one roof."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import web
from yarl import URL

from auditd.web.api_input import LARGEST_BODY_BYTES
from auditd.web.health import Readiness, add_headers, make_health
from auditd.web.scrape import Expose, scraping


def make_app(
    *,
    expose: Expose,
    readiness: Callable[[], Readiness],
    external_url: str = "",
    routes: Iterable[web.RouteDef] = (),
) -> web.Application:
    """Put the pages together.

    Args:
        expose: renders the metrics.
        readiness: what is missing now.
        external_url: where people reach this. As with Prometheus its path prefixes every page.
        routes: more of them, without that prefix: the API, the pages.
    """
    prefix = URL(external_url).path.rstrip("/")
    root = f"{prefix}/"

    async def to_root(_request: web.Request) -> web.Response:
        raise web.HTTPFound(root)

    every = [web.get("/metrics", scraping(expose)), *make_health(readiness), *routes]
    app = web.Application(client_max_size=LARGEST_BODY_BYTES)
    app.on_response_prepare.append(add_headers)
    app.add_routes(
        web.RouteDef(route.method, prefix + route.path, route.handler, route.kwargs)
        for route in every
    )
    if prefix:
        app.add_routes([web.get("/", to_root), web.get(prefix, to_root)])
    return app
