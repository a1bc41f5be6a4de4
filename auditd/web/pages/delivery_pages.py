"""What hooks are owed and were sent, and a button to owe them again what was given up."""

from __future__ import annotations

from aiohttp import web

from auditd.alerting.delivery import DeliveryState
from auditd.web.feed import DELIVERIES
from auditd.web.pages.form_pages import FormPages
from auditd.web.pages.page_error import PageError, said_on_the_page
from auditd.web.pages.query import choice_of, text_of
from auditd.web.pages.selection import PAGE_SIZE


class DeliveryPages(FormPages):
    """One method a page or form. Args as those of `make_pages`."""

    async def deliveries(self, request: web.Request) -> web.Response:
        """Those that are asked for, the newest first; and how each hook stands."""
        return await self._list(request)

    async def _list(self, request: web.Request, error: PageError | None = None) -> web.Response:
        watched = self._press.watch(DELIVERIES)
        state, hook = choice_of(request, "state", DeliveryState), text_of(request, "hook")
        before = text_of(request, "before")
        with said_on_the_page():
            found = await self._alerts.deliveries(
                state, hook or None, PAGE_SIZE + 1, before or None
            )
            hooks = await self._alerts.hooks()
        return await self._make(
            request,
            "deliveries.html",
            watched=watched,
            error=error,
            hooks=hooks,
            enable_token=self._forms.token("enable"),
            state=state,
            hook=hook,
            before=before,
            states=tuple(DeliveryState),
            deliveries=found[:PAGE_SIZE],
            older=found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else "",
        )

    async def enable(self, request: web.Request) -> web.StreamResponse:
        """Switch a hook on again."""
        fields = await self._forms.read(request)
        try:
            self._forms.check(request, fields, "enable")
            with said_on_the_page():
                await self._alerts.enable_hook(fields.get("name", ""))
        except PageError as error:
            return await self._list(request, error)
        return self._done(request, DELIVERIES, "deliveries")

    async def delivery(self, request: web.Request) -> web.Response:
        """One of them, with what it says."""
        return await self._show(request)

    async def replay(self, request: web.Request) -> web.StreamResponse:
        """Owe it again."""
        fields = await self._forms.read(request)
        delivery_id = text_of(request, "id")
        try:
            self._forms.check(request, fields, "replay")
            with said_on_the_page():
                await self._alerts.replay(delivery_id)
        except PageError as error:
            return await self._show(request, error)
        return self._done(request, DELIVERIES, "delivery", id=delivery_id)

    async def _show(self, request: web.Request, error: PageError | None = None) -> web.Response:
        watched = self._press.watch(DELIVERIES)
        with said_on_the_page():
            delivery = await self._alerts.delivery(text_of(request, "id"))
        return await self._make(
            request,
            "delivery.html",
            watched=watched,
            error=error,
            delivery=delivery,
            token=self._forms.token("replay"),
        )
