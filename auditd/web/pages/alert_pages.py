"""Alerts: all of them, and one, which can be acknowledged and silenced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.annotations import annotate
from auditd.alerting.matcher import Matcher, Operator
from auditd.audit.finding import Severity
from auditd.web.api_fields import check_line, check_lines
from auditd.web.feed import ALERTS
from auditd.web.guard import CALLER
from auditd.web.pages.alert_order import STATES, AlertChoice, Told, choose
from auditd.web.pages.form_pages import FormPages
from auditd.web.pages.page_error import PageError, said_on_the_page
from auditd.web.pages.query import choice_of, number_of, text_of
from auditd.web.pages.selection import sheet_of
from auditd.web.pages.silence_draft import SPANS, SilenceDraft

_SILENCED_BY = ("alertname", "project", "authorization")
"""The labels that tell one alert from the others for as long as people care."""


class AlertPages(FormPages):
    """One method a page, one a form. Args as those of `make_pages`."""

    async def alerts(self, request: web.Request) -> web.Response:
        """Those that are asked for, what fires first."""
        watched = self._press.watch(ALERTS)
        choice = AlertChoice(
            state=choice_of(request, "state", AlertState),
            severity=choice_of(request, "severity", Severity),
            project=text_of(request, "project"),
            text=text_of(request, "q"),
        )
        return await self._press.make(
            request,
            "alerts.html",
            watched=watched,
            choice=choice,
            states=STATES,
            severities=tuple(reversed(Severity)),
            counts=Counter(alert.state for alert in self._alerts.known()),
            sheet=sheet_of(await choose(self._alerts, choice), number_of(request, "page")),
        )

    async def alert(self, request: web.Request) -> web.Response:
        """One alert."""
        return await self._show(request, {"author": request.get(CALLER, "")})

    async def acknowledge(self, request: web.Request) -> web.StreamResponse:
        """Somebody knows of it."""
        fields = await self._forms.read(request)
        fingerprint = text_of(request, "id")
        try:
            self._forms.check(request, fields, "acknowledge")
            with said_on_the_page():
                author = check_line(fields.get("author", ""), "author")
                comment = check_lines(fields.get("comment", ""), "comment")
                await self._alerts.acknowledge(fingerprint, author, comment)
        except PageError as error:
            return await self._show(request, fields, error)
        return self._done(request, ALERTS, "alert", id=fingerprint)

    async def _show(
        self, request: web.Request, fields: Mapping[str, str], error: PageError | None = None
    ) -> web.Response:
        """The page; after a form that could not be done with what was typed."""
        watched = self._press.watch(ALERTS)
        told = self._find(text_of(request, "id"))
        return await self._make(
            request,
            "alert.html",
            watched=watched,
            error=error,
            told=told,
            annotations=annotate(told.alert, self._now()),
            fields=fields,
            token=self._forms.token("acknowledge"),
            draft=SilenceDraft(
                matchers="\n".join(map(str, _matchers_of(told.alert))),
                author=request.get(CALLER, ""),
            ),
            silence_token=self._forms.token("silence"),
            spans=SPANS,
        )

    def _find(self, fingerprint: str) -> Told:
        for alert in self._alerts.known():
            if alert.fingerprint == fingerprint:
                return Told(alert, self._alerts.suppression(alert))
        msg = "there is no such alert any more"
        raise PageError(msg, HTTPStatus.NOT_FOUND)


def _matchers_of(alert: Alert) -> list[Matcher]:
    return [
        Matcher(label, Operator.EQUAL, alert.labels[label])
        for label in _SILENCED_BY
        if label in alert.labels
    ]
