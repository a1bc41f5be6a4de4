"""What pages with forms have in common: whom they ask, and how a form is answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from auditd.web.feed import Feed
from auditd.web.office import AlertOffice
from auditd.web.pages.form import Forms, see_other
from auditd.web.pages.page_error import PageError
from auditd.web.pages.press import Press, Watched


class FormPages:
    """Args as those of `make_pages`."""

    def __init__(
        self,
        press: Press,
        alerts: AlertOffice,
        forms: Forms,
        feed: Feed,
        now: Callable[[], datetime],
    ) -> None:
        self._press = press
        self._alerts = alerts
        self._forms = forms
        self._feed = feed
        self._now = now

    async def _make(
        self,
        request: web.Request,
        template: str,
        *,
        watched: Watched,
        error: PageError | None,
        **context: object,
    ) -> web.Response:
        """The page; after a form that could not be done with its error."""
        return await self._press.make(
            request,
            template,
            watched=watched,
            live=error is None,
            status=error.status if error else HTTPStatus.OK,
            error=str(error or ""),
            **context,
        )

    def _done(
        self, request: web.Request, topic: str, page: str, *, fragment: str = "", **parameters: str
    ) -> web.Response:
        """A form was done: open pages are told, and the browser loads the page."""
        self._feed.touch(topic)
        return see_other(self._press.wording(request).url(page, **parameters) + fragment)
