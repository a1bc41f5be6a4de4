"""Opens the listening sockets, with limits that keep a hostile client from holding them."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from auditd.web.address import Address

IDLE_SECONDS = 15.0
"""A connection without a complete request for so long is closed: slow headers included."""
_LINGERING_SECONDS = 2.0
_SHUTDOWN_SECONDS = 3.0
"""How long answers under way may take once the listener closes."""
_LONGEST_LINE_BYTES = 8190
_MOST_HEADERS = 64

_REMEDIES = {
    errno.EADDRINUSE: "stop the process that holds the port, or choose another port",
    errno.EACCES: "choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "choose an address of this machine",
}


class ListenError(Exception):
    """An address cannot be listened on. The message says which, why, and what to do."""


@asynccontextmanager
async def listen(
    app: web.Application, addresses: Sequence[Address]
) -> AsyncIterator[tuple[Address, ...]]:
    """Serve the application until the block ends, then let answers under way finish for 3 s.

    Yields:
        The addresses that were bound, in order, with their real ports. A name, or no host, can
        give several.

    Raises:
        ListenError: one of the addresses cannot be bound; none is then.
    """
    runner = web.AppRunner(
        app,
        access_log=logging.getLogger("aiohttp.access"),
        access_log_class=_AccessLog,
        handler_cancellation=True,
        keepalive_timeout=IDLE_SECONDS,
        lingering_time=_LINGERING_SECONDS,
        max_field_size=_LONGEST_LINE_BYTES,
        max_headers=_MOST_HEADERS,
        max_line_size=_LONGEST_LINE_BYTES,
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        for address in addresses:
            await _bind(runner, address)
        yield tuple(Address(host, port) for host, port, *_ in runner.addresses)
    finally:
        await runner.cleanup()


async def _bind(runner: web.AppRunner, address: Address) -> None:
    try:
        await web.TCPSite(runner, address.host or None, address.port).start()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno in _REMEDIES else error.strerror
        remedy = _REMEDIES.get(error.errno or 0, "check --web.listen-address")
        msg = f"cannot listen on {address}: {reason}; {remedy}"
        raise ListenError(msg) from error


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
