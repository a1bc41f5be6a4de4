"""Silences: what is kept, a form to make one, and a button to end one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from aiohttp import web

from auditd.web.api_fields import check_line
from auditd.web.feed import ALERTS
from auditd.web.guard import CALLER
from auditd.web.pages.form_pages import FormPages
from auditd.web.pages.page_error import PageError, said_on_the_page
from auditd.web.pages.period import Period, period_of
from auditd.web.pages.query import number_of
from auditd.web.pages.selection import sheet_of
from auditd.web.pages.silence_draft import SPANS, SilenceDraft, draft_of


class SilencePages(FormPages):
    """One method a page or form. Args as those of `make_pages`."""

    async def silences(self, request: web.Request) -> web.Response:
        """All that are kept."""
        return await self._show(request, SilenceDraft(author=request.get(CALLER, "")))

    async def change(self, request: web.Request) -> web.StreamResponse:
        """Make a silence; or end one, when the form names it."""
        fields = await self._forms.read(request)
        draft = SilenceDraft() if "id" in fields else draft_of(fields)
        try:
            with said_on_the_page():
                silence_id = await (
                    self._expire(request, fields)
                    if "id" in fields
                    else self._create(request, fields, draft)
                )
        except PageError as error:
            return await self._show(request, draft, error)
        return self._done(request, ALERTS, "silences", fragment=f"#silence-{silence_id}")

    async def _create(
        self, request: web.Request, fields: Mapping[str, str], draft: SilenceDraft
    ) -> str:
        self._forms.check(request, fields, "silence")
        matchers, author, comment = draft.read()
        now = self._now()
        ends_at = draft.ends_at(now)
        made = await self._alerts.create_silence(matchers, now, ends_at, author, comment)
        return made.id

    async def _expire(self, request: web.Request, fields: Mapping[str, str]) -> str:
        self._forms.check(request, fields, "expire")
        author = check_line(fields.get("author", ""), "author")
        await self._alerts.expire_silence(fields["id"], author)
        return quote(fields["id"])

    async def _show(
        self, request: web.Request, draft: SilenceDraft, error: PageError | None = None
    ) -> web.Response:
        watched, now = self._press.watch(ALERTS), self._now()
        kept = [(silence, period_of(silence, now)) for silence in self._alerts.silences()]
        order = tuple(Period)
        kept.sort(key=lambda pair: (order.index(pair[1]), pair[0].ends_at, pair[0].id))
        return await self._make(
            request,
            "silences.html",
            watched=watched,
            error=error,
            draft=draft,
            spans=SPANS,
            silence_token=self._forms.token("silence"),
            expire_token=self._forms.token("expire"),
            sheet=sheet_of(kept, number_of(request, "page")),
        )
