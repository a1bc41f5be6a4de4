"""Opens the listening sockets, with limits that keep a hostile client from holding them."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from auditd.web.address import Address
from auditd.web.connections import Connections
from auditd.web.door import Door, Doorkeeper
from auditd.web.gate import Gate
from auditd.web.login import Login
from auditd.web.rate_limit import Bucket
from auditd.web.security import Security
from auditd.web.speaker import Speaker

IDLE_SECONDS = 15.0
"""A connection without a complete request for so long is closed: slow headers included."""
MOST_CONNECTIONS = 512
"""Of one listener: a half of the files that a process may usually open."""
HEALTH_CONNECTIONS = 64
"""Of a listener for health alone."""
_LINGERING_SECONDS = 2.0
_SHUTDOWN_SECONDS = 3.0
"""How long answers under way may take once the listener closes."""
_LONGEST_LINE_BYTES = 8190
_MOST_HEADERS = 64
_BACKLOG = 1024
"""Connections that the system keeps until they are accepted."""
_ACCEPTED_AT_ONCE = 8
"""Others have their turn in between, so that a thousand connections at once hold up nobody."""
_MOST_LOG_LINES = 10
"""A second, of what the library says about requests."""

_REMEDIES = {
    errno.EADDRINUSE: "stop the process that holds the port, or choose another port",
    errno.EACCES: "choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "choose an address of this machine",
}


class ListenError(Exception):
    """An address cannot be listened on. The message says which, why, and what to do."""


class Listener:
    """Serves an application. `addresses` are those that were bound, with their real ports.

    A name, or no host, can give several addresses. `connections` are those that are open.
    """

    def __init__(
        self, gate: Gate, addresses: tuple[Address, ...], connections: Connections
    ) -> None:
        self.addresses = addresses
        self.connections = connections
        self._gate = gate

    @property
    def security(self) -> Security:
        """What is in force now."""
        return self._gate.security

    def reload(self, security: Security) -> None:
        """Go by this from the next connection and the next request on.

        No connection is closed and no request is lost. A connection that is older than a change
        of its encryption is closed with its next answer, which it only gets if it would still be
        let in.
        """
        self._gate.adopt(security)


@asynccontextmanager
async def open_listener(
    app: web.Application,
    addresses: Sequence[Address],
    security: Security,
    *,
    most_connections: int = MOST_CONNECTIONS,
) -> AsyncIterator[Listener]:
    """Serve the application until the block ends, then let answers under way finish for 3 s.

    Raises:
        ListenError: one of the addresses cannot be bound; none is then.
    """
    login = Login(secrets.token_bytes())
    gate = Gate(security, login)
    gate.guard(app)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    keeper = Doorkeeper(
        Connections(most_connections),
        speak=lambda door: _speaker(door, runner),
        security=lambda: gate.security,
    )
    servers: list[asyncio.Server] = []
    try:
        for address in addresses:
            servers.append(await _bind(keeper, address))  # noqa: PERF401 -- each is closed below
        with _fewer_log_lines():
            yield Listener(gate, tuple(_addresses_of(servers)), keeper.connections)
    finally:
        for server in servers:
            server.close()
        await keeper.close()
        await runner.cleanup()
        login.close()


@asynccontextmanager
async def listen(
    app: web.Application,
    addresses: Sequence[Address],
    *,
    most_connections: int = MOST_CONNECTIONS,
) -> AsyncIterator[tuple[Address, ...]]:
    """The same for everybody, unencrypted. Yields the addresses that were bound, in order."""
    async with open_listener(
        app, addresses, Security(), most_connections=most_connections
    ) as listener:
        yield listener.addresses


def _speaker(door: Door, runner: web.AppRunner) -> Speaker:
    return Speaker(
        door,
        cast("web.Server", runner.server),  # there is one from setup to cleanup
        loop=asyncio.get_running_loop(),
        access_log=logging.getLogger("aiohttp.access"),
        access_log_class=_AccessLog,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=_LINGERING_SECONDS,
        max_field_size=_LONGEST_LINE_BYTES,
        max_headers=_MOST_HEADERS,
        max_line_size=_LONGEST_LINE_BYTES,
    )


async def _bind(keeper: Doorkeeper, address: Address) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    host = address.host or None
    try:
        # To asyncio the backlog is also how many it accepts in one turn.
        server = await loop.create_server(keeper, host, address.port, backlog=_ACCEPTED_AT_ONCE)
        for listening in server.sockets:
            with listening.dup() as same:
                same.listen(_BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno in _REMEDIES else error.strerror
        remedy = _REMEDIES.get(error.errno or 0, "check --web.listen-address")
        msg = f"cannot listen on {address}: {reason}; {remedy}"
        raise ListenError(msg) from error
    return server


def _addresses_of(servers: Sequence[asyncio.Server]) -> Iterator[Address]:
    for server in servers:
        for listening in server.sockets:
            host, port, *_ = listening.getsockname()
            yield Address(host, port)


@contextmanager
def _fewer_log_lines() -> Iterator[None]:
    """Keep what clients provoke from filling the log."""
    bucket = Bucket(_MOST_LOG_LINES, 1 / _MOST_LOG_LINES, asyncio.get_running_loop().time())
    loop = asyncio.get_running_loop()

    def is_admitted(_: logging.LogRecord) -> bool:
        return bucket.take(loop.time())

    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(is_admitted)
    try:
        yield
    finally:
        logger.removeFilter(is_admitted)


class _AccessLog(AbstractAccessLogger):
    """One debug record a request, without its query: people put secrets there."""

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.DEBUG)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        self.logger.debug(
            "%s %s %s %d in %.3f s",
            request.remote,
            request.method,
            request.path,
            response.status,
            time,
        )
