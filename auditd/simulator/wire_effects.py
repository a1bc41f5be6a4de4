"""What a fault does to the bytes themselves: answers that are late, cut, endless or none."""

from __future__ import annotations

import socket
import struct
import zlib
from datetime import timedelta
from typing import Literal, NoReturn

from aiohttp import web
from pydantic import Field

from auditd.simulator.exchange import Exchange
from auditd.simulator.moments import Duration
from auditd.simulator.section import Section

_MEBIBYTE = 1024 * 1024
_GZIP_WINDOW = zlib.MAX_WBITS | 16


class TruncateEffect(Section):
    """The first part of the body. With `promise_all` Content-Length still tells of the whole."""

    type: Literal["truncate"]
    keep: float = Field(default=0.5, ge=0, lt=1)
    promise_all: bool = False

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """A sound answer with half a document, or a connection that ends too early."""
        body = await exchange.proceed_bytes()
        kept = body[: int(len(body) * self.keep)]
        response = exchange.begin(content_length=len(body) if self.promise_all else len(kept))
        await response.prepare(exchange.request)
        await response.write(kept)
        if self.promise_all:
            _end_connection(exchange.request)
        return response


class DripEffect(Section):
    """The whole body, `size` bytes at a time with a `pause` before each."""

    type: Literal["drip"]
    size: int = Field(default=1, ge=1)
    pause: Duration = timedelta(seconds=1)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The service's own answer, slowly."""
        body = await exchange.proceed_bytes()
        response = exchange.begin(content_length=len(body))
        await response.prepare(exchange.request)
        for begin in range(0, len(body), self.size):
            await exchange.sleep(self.pause.total_seconds())
            await response.write(body[begin : begin + self.size])
        return response


class ResetEffect(Section):
    """No answer: the connection is reset."""

    type: Literal["reset"]

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Raises ConnectionResetError, always."""
        _end_connection(exchange.request, abruptly=True)


class GzipBombEffect(Section):
    """A small gzip body that unpacks to `mebibytes` MiB of spaces."""

    type: Literal["gzip_bomb"]
    mebibytes: int = Field(default=2048, ge=1)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """The bomb, as long as the client reads on."""
        response = exchange.begin(encoding="gzip")
        await response.prepare(exchange.request)
        compressor = zlib.compressobj(level=1, wbits=_GZIP_WINDOW)
        spaces = b" " * _MEBIBYTE
        for _ in range(self.mebibytes):
            await response.write(compressor.compress(spaces))
        await response.write(compressor.flush())
        return response


class EndlessEffect(Section):
    """A list that begins well and never ends."""

    type: Literal["endless"]

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Until the client goes away, which ends this by ConnectionResetError."""
        response = exchange.begin()
        await response.prepare(exchange.request)
        await response.write(b'{"authorizations": [')
        while True:
            await response.write(b" " * 65536)
            await exchange.sleep(0)


def _end_connection(request: web.Request, *, abruptly: bool = False) -> NoReturn:
    if (transport := request.transport) is not None:
        connection = transport.get_extra_info("socket")
        if abruptly:
            # A close with zero linger is what sends RST instead of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        transport.close()
    raise ConnectionResetError
