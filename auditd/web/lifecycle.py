"""Reloading the configuration over HTTP, as Prometheus does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from auditd.web.guard import Guard, RefusedError

_DISABLED = "Lifecycle API is not enabled."


def make_lifecycle(
    reload: Callable[[], Awaitable[str]] | None, guard: Guard
) -> Sequence[web.RouteDef]:
    """The routes, without the prefix of the external URL.

    Args:
        reload: reloads, and returns why the new configuration was refused; nothing when it is in
            force. A caller who leaves cancels the wait, so the work must belong to another task.
            None when nobody may ask for it.
        guard: decides who may.
    """

    async def handle(request: web.Request) -> web.Response:
        if reload is None:
            return web.Response(status=web.HTTPForbidden.status_code, text=f"{_DISABLED}\n")
        try:
            guard.check_caller(request)
        except RefusedError as error:
            return web.Response(status=web.HTTPForbidden.status_code, text=f"{error}\n")
        if refusal := await reload():
            text = f"failed to reload config: {refusal}\n"
            return web.Response(status=web.HTTPInternalServerError.status_code, text=text)
        return web.Response()

    return [web.post("/-/reload", handle), web.put("/-/reload", handle)]
