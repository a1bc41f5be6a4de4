"""The page that Prometheus reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Protocol

from aiohttp import hdrs, web

from auditd.web.turns import Turns

SENDING_SECONDS = 60.0
"""How long a scraper may take to read; Prometheus itself gives up after 10 by default."""


class Exposition(Protocol):
    """A rendered scrape."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What describes the body: type, encoding, and what they depended on."""

    @property
    def size(self) -> int:
        """Bytes of the body."""

    def pieces(self) -> Iterator[bytes]:
        """The body in order, in pieces that are quick to make and small enough to wait for."""


class Expose(Protocol):
    """Renders the metrics."""

    async def __call__(
        self, *, accept: str, accept_encoding: str, names: Sequence[str]
    ) -> Exposition:
        """All of them, or only the series called one of `names`, as the headers ask."""


def scraping(expose: Expose) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of /metrics."""
    turns = Turns()

    async def metrics(request: web.Request) -> web.StreamResponse:
        exposition = await expose(
            accept=",".join(request.headers.getall(hdrs.ACCEPT, ())),
            accept_encoding=",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())),
            names=request.query.getall("name[]", ()),
        )
        response = web.StreamResponse(headers=exposition.headers)
        response.content_length = exposition.size
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            with turns.member():
                await _send(request, response, exposition.pieces(), turns)
        return response

    return metrics


async def _send(
    request: web.Request, response: web.StreamResponse, pieces: Iterator[bytes], turns: Turns
) -> None:
    """Send them as fast as the scraper reads, in turns with all who are sent something.

    One that went away, or is too slow, is hung up on: what it has is not the whole.
    """
    try:
        async with asyncio.timeout(SENDING_SECONDS):
            while True:
                await turns.take()  # write() does not give way while the kernel takes it all
                if (piece := next(pieces, None)) is None:
                    break
                await response.write(piece)
    except (ConnectionError, TimeoutError):
        if request.transport:
            request.transport.abort()
