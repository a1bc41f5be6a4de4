"""The pages: metrics, health, the API, and a landing page that links to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import hdrs, web
from yarl import URL

from auditd.web.api_input import LARGEST_BODY_BYTES
from auditd.web.landing import LANDING_CSP, landing_page
from auditd.web.scrape import Expose, scraping

_HEADERS = {
    hdrs.SERVER: "servicestage-auditd",
    hdrs.CACHE_CONTROL: "no-store",
    "Content-Security-Policy": LANDING_CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the daemon still waits for, in plain sentences. Nothing means ready."""

    missing: tuple[str, ...] = ()


def make_app(
    *,
    expose: Expose,
    readiness: Callable[[], Readiness],
    version: str,
    external_url: str = "",
    routes: Iterable[web.RouteDef] = (),
) -> web.Application:
    """Put the pages together.

    Args:
        expose: renders the metrics.
        readiness: what is missing now.
        version: shown on the landing page.
        external_url: where people reach this. As with Prometheus its path prefixes every page.
        routes: more of them, without that prefix: the API, the pages.
    """

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="servicestage-auditd is healthy.\n")

    async def ready(_request: web.Request) -> web.Response:
        if missing := readiness().missing:
            text = "".join(f"{sentence}\n" for sentence in missing)
            return web.Response(status=web.HTTPServiceUnavailable.status_code, text=text)
        return web.Response(text="servicestage-auditd is ready.\n")

    async def landing(_request: web.Request) -> web.Response:
        return web.Response(text=landing_page(version), content_type="text/html")

    prefix = URL(external_url).path.rstrip("/")
    root = f"{prefix}/"

    async def to_landing(_request: web.Request) -> web.Response:
        raise web.HTTPFound(root)

    app = web.Application(client_max_size=LARGEST_BODY_BYTES)
    app.on_response_prepare.append(_add_headers)
    app.add_routes(
        [
            web.get(f"{prefix}/metrics", scraping(expose)),
            web.get(f"{prefix}/-/healthy", healthy),
            web.get(f"{prefix}/-/ready", ready),
            web.get(root, landing),
        ]
    )
    app.add_routes(
        web.RouteDef(route.method, prefix + route.path, route.handler, route.kwargs)
        for route in routes
    )
    if prefix:
        app.add_routes([web.get("/", to_landing), web.get(prefix, to_landing)])
    return app


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
