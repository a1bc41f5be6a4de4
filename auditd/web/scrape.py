"""The page that Prometheus reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import hdrs, web


class Exposition(Protocol):
    """A rendered scrape."""

    @property
    def body(self) -> bytes:
        """As it is sent."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What describes the body: type, encoding, and what they depended on."""


class Expose(Protocol):
    """Renders the metrics."""

    def __call__(self, *, accept: str, accept_encoding: str, names: Sequence[str]) -> Exposition:
        """All of them, or only the series called one of `names`, as the headers ask."""


def scraping(expose: Expose) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of /metrics."""

    async def metrics(request: web.Request) -> web.Response:
        exposition = expose(
            accept=",".join(request.headers.getall(hdrs.ACCEPT, ())),
            accept_encoding=",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())),
            names=request.query.getall("name[]", ()),
        )
        return web.Response(body=exposition.body, headers=exposition.headers)

    return metrics
