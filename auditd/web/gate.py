"""What every request passes, whatever it asks for: how often, from which connection, by whom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import hdrs, web

from auditd.web.door import Door
from auditd.web.guard import CALLER
from auditd.web.headers import complete
from auditd.web.login import Login, Verdict, read_basic
from auditd.web.rate_limit import Bucket, source_of
from auditd.web.security import Security
from auditd.web.speaker import Speaker
from auditd.web.tls import alternative_names, common_name

ANSWER_SECONDS = 20.0
"""How long a client may take to read an answer."""
_CHALLENGE = 'Basic realm="servicestage-auditd", charset="UTF-8"'
_LATER_SECONDS = "10"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gate:
    """Stands in front of an application; `security` may be exchanged at any time with `adopt`."""

    def __init__(self, security: Security, login: Login) -> None:
        self._login = login
        self._bucket: Bucket | None = None
        self.security = Security()
        self.adopt(security)

    def adopt(self, security: Security) -> None:
        """Go by this from the next request on. What did not change starts nothing anew."""
        if security.rate is None:
            self._bucket = None
        elif self._bucket is None or security.rate != self.security.rate:
            now = asyncio.get_running_loop().time()
            self._bucket = Bucket(security.rate.burst, security.rate.interval_seconds, now)
        self.security = security

    def guard(self, app: web.Application) -> None:
        """Put this in front of an application that does not run yet."""

        @web.middleware  # marks functions only, no methods
        async def admit(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._admit(request, handler)

        app.middlewares.insert(0, admit)
        app.on_response_prepare.insert(0, self._prepare)

    async def _admit(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        door = _door_of(request)
        _work(door)
        self._check_rate()
        self._check_connection(door)
        if self.security.users:
            request[CALLER] = await self._log_in(request)
        elif door.peer_certificate:
            request[CALLER] = _name_of(door.peer_certificate)
        return await handler(request)

    def _check_rate(self) -> None:
        if self._bucket and not self._bucket.take(asyncio.get_running_loop().time()):
            raise web.HTTPTooManyRequests

    def _check_connection(self, door: Door) -> None:
        """A connection may be older than the rules."""
        is_encrypted = door.context is not None
        if not self.security.is_welcome(door.peer_certificate, encrypted=is_encrypted):
            refusal = web.HTTPForbidden(text="The rules for connections have changed.\n")
            refusal.force_close()
            raise refusal

    async def _log_in(self, request: web.Request) -> str:
        """The user's name."""
        given = request.headers.getall(hdrs.AUTHORIZATION, ())
        credentials = read_basic(given[0]) if len(given) == 1 else None
        if credentials is None:
            raise _unauthorized()
        source = source_of(request.remote or "")
        match await self._login.judge(self.security.users, source, *credentials):
            case Verdict.ADMITTED:
                return credentials[0]
            case Verdict.LATER:
                later = {hdrs.RETRY_AFTER: _LATER_SECONDS}
                raise web.HTTPTooManyRequests(
                    text="There were too many failed log-ins.\n", headers=later
                )
            case Verdict.REFUSED:
                raise _unauthorized()

    async def _prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        complete(response.headers, self.security.headers)
        door = _door_of(request)
        if door.context is not self.security.context:
            # So that the next request comes under the new rules.
            response.headers[hdrs.CONNECTION] = "close"
            response.force_close()
        if isinstance(response, web.Response):  # a stream looks after its reader itself
            ending = asyncio.get_running_loop().call_later(ANSWER_SECONDS, door.abort)
            _when_answered(ending.cancel)


def _door_of(request: web.Request) -> Door:
    return cast("Speaker", request.protocol).door


def _work(door: Door) -> None:
    door.work()
    _when_answered(door.rest)


def _when_answered(call: Callable[[], Any]) -> None:
    """In aiohttp each request has a task, which ends when the answer's last byte is handed over."""
    task = asyncio.current_task()
    if task:
        task.add_done_callback(lambda _: call())


def _unauthorized() -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(text="Unauthorized\n", headers={hdrs.WWW_AUTHENTICATE: _CHALLENGE})


def _name_of(certificate: dict[str, Any]) -> str:
    return common_name(certificate) or min(alternative_names(certificate), default="certificate")
