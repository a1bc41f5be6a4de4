"""Makes pages: one template, what every page has, and headers that allow it nothing foreign."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from urllib.parse import urlencode

from aiohttp import hdrs, web

from auditd.web.feed import Feed
from auditd.web.fleet_office import FleetOffice
from auditd.web.headers import CSP
from auditd.web.pages.language import Language, choose_language
from auditd.web.pages.page_error import PageError
from auditd.web.pages.site import Site
from auditd.web.pages.wording import Wording

PAGES_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Allows what comes from here as a file of its own, and nothing that stands in a page."""
_HEADERS = {
    CSP: PAGES_CSP,
    hdrs.CACHE_CONTROL: "no-store",
    # With no-referrer a browser sends our own forms with `Origin: null`, as if from anywhere.
    # Source: https://fetch.spec.whatwg.org/#append-a-request-origin-header
    "Referrer-Policy": "same-origin",
    hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
}
_CHUNKS = 500
"""Pieces of a page that are rendered before others have their turn; about a millisecond."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What a page follows while it is open, and the version that it shows or an older one."""

    topics: tuple[str, ...] = ()
    version: str = ""

    @property
    def url(self) -> str:
        """Where it is told of, relative to any page; empty when nothing is watched."""
        pairs = [("topic", topic) for topic in self.topics]
        return f"events?{urlencode(pairs, errors='replace')}" if pairs else ""


_NOTHING = Watched()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Press:
    """Args as those of `make_pages`."""

    def __init__(
        self, site: Site, fleet: FleetOffice, feed: Feed, now: Callable[[], datetime]
    ) -> None:
        self._site = site
        self._fleet = fleet
        self._feed = feed
        self._now = now

    def watch(self, *topics: str) -> Watched:
        """To be called before what the page shows is read, so that nothing is missed."""
        return Watched(topics, self._feed.version(topics))

    async def make(
        self,
        request: web.Request,
        template: str,
        *,
        watched: Watched = _NOTHING,
        live: bool = True,
        status: HTTPStatus = HTTPStatus.OK,
        **context: object,
    ) -> web.Response:
        """The page.

        While it is open it follows what is watched, unless it is not `live`: what a form was
        answered with cannot be fetched again.
        """
        say = self.wording(request)
        compiled = await self._site.template(say.language, template)
        html = await _render(
            compiled.generate(
                say=say,
                assets=self._site.assets,
                standing=self._fleet.standing(),
                watched=watched if live else _NOTHING,
                translated_urls={other: _here(request, other) for other in Language},
                **context,
            )
        )
        return web.Response(
            status=status,
            body=html.encode(errors="replace"),
            content_type="text/html",
            charset="utf-8",
            headers={**_HEADERS, hdrs.CONTENT_LANGUAGE: say.language},
        )

    def wording(self, request: web.Request) -> Wording:
        """How this reader is told things."""
        asked = request.query.get("lang", "")
        accept = ",".join(request.headers.getall(hdrs.ACCEPT_LANGUAGE, ()))
        language = choose_language(asked, accept)
        return Wording(self._site.translations[language], self._now(), language == asked)

    def telling(self, handler: Handler) -> Handler:
        """A handler whose PageError becomes a page."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except PageError as error:
                return await self.make(
                    request, "error.html", status=error.status, message=str(error)
                )

        return answer


async def _render(pieces: Iterable[str]) -> str:
    rest, html = iter(pieces), list[str]()
    while chunk := list(islice(rest, _CHUNKS)):
        html += chunk
        await asyncio.sleep(0)
    return "".join(html)


def _here(request: web.Request, language: Language) -> str:
    """The same page in another language, as a link that is relative to it."""
    query = [pair for pair in request.query.items() if pair[0] != "lang"]
    return f"?{urlencode([*query, ('lang', language)], errors='replace')}"
