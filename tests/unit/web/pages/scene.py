"""Pages that are served for real, and somebody without JavaScript who reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape

from aiohttp import ClientSession, web

from auditd.web.app import make_app
from auditd.web.feed import Feed
from auditd.web.guard import Guard
from auditd.web.health import Readiness
from auditd.web.pages.routes import make_pages
from auditd.web.pages.site import Site
from tests.unit.web.pages.examples import NOW
from tests.unit.web.pages.fakes import Alerts, Fleet


@dataclass
class Scene:
    """What the pages show, and a browser without JavaScript that looks at them."""

    site: Site
    fleet: Fleet = field(default_factory=Fleet)
    alerts: Alerts = field(default_factory=Alerts)
    feed: Feed = field(default_factory=lambda: Feed("epoch"))
    now: datetime = NOW

    def app(self, external_url: str = "") -> web.Application:
        return make_app(
            expose=lambda **_: None,  # type: ignore[arg-type]  # not asked for here
            readiness=Readiness,
            external_url=external_url,
            routes=make_pages(
                self.fleet,
                self.alerts,
                Guard([], external_url),
                self.feed,
                site=self.site,
                form_key=b"k" * 32,
                now=lambda: self.now,
            ),
        )


@dataclass(frozen=True)
class Browser:
    """Follows nothing by itself."""

    session: ClientSession

    async def get(self, path: str, status: int = 200, language: str = "en") -> str:
        headers = {"Accept-Language": language}
        async with self.session.get(path, headers=headers) as response:
            assert response.status == status, await response.text()
            return await response.text()

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> tuple[int, str, str]:
        """The status, where it leads, and the page."""
        async with self.session.post(
            path, data=fields, headers=headers, allow_redirects=False
        ) as response:
            text = await response.text()
            return response.status, response.headers.get("Location", ""), text

    async def token(self, path: str, form: str) -> str:
        """The token in a form of a page."""
        page = await self.get(path)
        (token,) = re.findall(rf'id="{form}".*?name="token" value="(\w+)"', page, re.DOTALL)
        return str(token)


def text_of(html: str) -> str:
    """What is read of a page: no tags, no marks, single blanks."""
    bare = re.sub(r'<span class="mark"[^>]*>[^<]*</span>', "", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())
