"""Whether the process answers, and whether its silence means health."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from auditd.web.headers import complete


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the daemon still waits for, in plain sentences. Nothing means ready."""

    missing: tuple[str, ...] = ()


def make_health(readiness: Callable[[], Readiness]) -> Sequence[web.RouteDef]:
    """The routes. `readiness` tells what is missing now."""

    async def healthy(_request: web.Request) -> web.Response:
        return web.Response(text="servicestage-auditd is healthy.\n")

    async def ready(_request: web.Request) -> web.Response:
        if missing := readiness().missing:
            text = "".join(f"{sentence}\n" for sentence in missing)
            return web.Response(status=web.HTTPServiceUnavailable.status_code, text=text)
        return web.Response(text="servicestage-auditd is ready.\n")

    return [web.get("/-/healthy", healthy), web.get("/-/ready", ready)]


def make_health_app(readiness: Callable[[], Readiness]) -> web.Application:
    """These pages alone, for a listener of their own that knows no users and no certificates."""
    app = web.Application(client_max_size=1)
    app.on_response_prepare.append(add_headers)
    app.add_routes(make_health(readiness))
    return app


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says."""
    complete(response.headers)
