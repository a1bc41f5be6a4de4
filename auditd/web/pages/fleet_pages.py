"""The fleet at a glance, its authorizations, and one project or authorization in full."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from heapq import nsmallest

from aiohttp import web

from auditd.alerting.alert import AlertState
from auditd.alerting.annotations import console_url
from auditd.audit.authorization import Authorization, Status, known_time
from auditd.audit.explanation import explain
from auditd.audit.finding import Finding
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.feed import ALERTS, FLEET, project_topic
from auditd.web.fleet_office import FleetOffice
from auditd.web.office import AlertOffice
from auditd.web.pages.age_limits import limits_of
from auditd.web.pages.age_plot import plot_age
from auditd.web.pages.alert_order import AlertChoice, choose
from auditd.web.pages.census import Census, Glance, digest
from auditd.web.pages.chronicle import read_chronicle
from auditd.web.pages.condition import Condition
from auditd.web.pages.explained import explain_findings
from auditd.web.pages.page_error import said_on_the_page
from auditd.web.pages.press import Press
from auditd.web.pages.query import choice_of, number_of, text_of
from auditd.web.pages.selection import AuthorizationSearch, select_projects, sheet_of

_FIRING_SHOWN = 10
_NEXT_SHOWN = 5
_BLIND_SHOWN = 20


class FleetPages:
    """One method a page. Args as those of `make_pages`."""

    def __init__(
        self,
        press: Press,
        fleet: FleetOffice,
        alerts: AlertOffice,
        now: Callable[[], datetime],
    ) -> None:
        self._press = press
        self._fleet = fleet
        self._alerts = alerts
        self._now = now
        self._census = Census(fleet)
        self._search = AuthorizationSearch()

    async def fleet(self, request: web.Request) -> web.Response:
        """What is wrong, what fires, how old the data is, and all projects."""
        watched = self._press.watch(FLEET, ALERTS)
        text, condition = text_of(request, "q"), choice_of(request, "condition", Condition)
        number = number_of(request, "page")
        glance = await self._census.take()
        firing = await choose(self._alerts, AlertChoice(state=AlertState.FIRING))
        heard = [told for told in firing if not told.suppression]
        next_polls = self._fleet.next_polls()
        soonest = nsmallest(_NEXT_SHOWN, ((at, name) for name, at in next_polls.items()))
        await asyncio.sleep(0)
        return await self._press.make(
            request,
            "fleet.html",
            watched=watched,
            glance=glance,
            blind=glance.of(Condition.BLIND)[:_BLIND_SHOWN],
            late_since=self._late_since(glance),
            firing_shown=heard[:_FIRING_SHOWN],
            firing=len(firing),
            heard=len(heard),
            next_polls=next_polls,
            soonest=soonest,
            text=text,
            condition=condition,
            conditions=tuple(Condition),
            statuses=tuple(Status),
            sheet=sheet_of(select_projects(glance.digests, text, condition), number),
        )

    def _late_since(self, glance: Glance) -> datetime | None:
        """The list that is late for longest; blind projects are told of anyway."""
        late_at, listed_at = glance.next_late or (None, None)
        return listed_at if late_at and late_at < self._now() else None

    async def authorizations(self, request: web.Request) -> web.Response:
        """Those of all projects, by status and text."""
        watched = self._press.watch(FLEET)
        text, status = text_of(request, "q"), choice_of(request, "status", Status)
        number = number_of(request, "page")
        glance = await self._census.take()
        return await self._press.make(
            request,
            "authorizations.html",
            watched=watched,
            glance=glance,
            text=text,
            chosen=status,
            statuses=tuple(Status),
            sheet=await self._search.find(glance.digests, text, status, number),
        )

    async def project(self, request: web.Request) -> web.Response:
        """One project."""
        name = text_of(request, "name")
        watched = self._press.watch(project_topic(name), ALERTS)
        number, before = number_of(request, "page"), number_of(request, "before", 0)
        snapshot = self._snapshot(name)
        findings = _by_authorization(snapshot)
        return await self._press.make(
            request,
            "project.html",
            watched=watched,
            found=digest(snapshot),
            snapshot=snapshot,
            findings=findings,
            own_findings=explain_findings(findings.get("", ()), snapshot, self._fleet.rules()),
            told=await choose(self._alerts, AlertChoice(state=AlertState.FIRING, project=name)),
            console=self._console(snapshot.project),
            runbook=self._fleet.rules().runbook_url,
            next_at=self._fleet.next_polls().get(name),
            chronicle=await read_chronicle(self._fleet, name, None, before or None),
            sheet=sheet_of(tuple((snapshot.authorizations or {}).values()), number),
        )

    async def authorization(self, request: web.Request) -> web.Response:
        """One authorization."""
        project, name = text_of(request, "project"), text_of(request, "name")
        watched = self._press.watch(project_topic(project), ALERTS)
        before = number_of(request, "before", 0)
        snapshot = self._snapshot(project)
        with said_on_the_page():
            listed = _listed(snapshot, name)
        chronicle = await read_chronicle(self._fleet, project, name, before or None)
        updated_at, stale_at = known_time(listed.updated_at), snapshot.stale_at.get(name)
        findings = _by_authorization(snapshot).get(name, ())
        limits = limits_of(self._fleet.checks(), snapshot.project, listed)
        return await self._press.make(
            request,
            "authorization.html",
            watched=watched,
            snapshot=snapshot,
            listed=listed,
            findings=explain_findings(findings, snapshot, self._fleet.rules()),
            explanations=explain(self._fleet.checks(), snapshot, listed),
            verification=snapshot.verifications.get(name),
            stale_at=stale_at,
            plot=updated_at and plot_age(chronicle.entries, updated_at, limits, self._now()),
            told=await choose(self._alerts, AlertChoice(project=project, authorization=name)),
            console=self._console(snapshot.project),
            runbook=self._fleet.rules().runbook_url,
            chronicle=chronicle,
        )

    def _snapshot(self, name: str) -> ProjectSnapshot:
        with said_on_the_page():
            return self._fleet.snapshot(name)

    def _console(self, project: Project) -> str:
        return console_url(self._fleet.rules().console_url, project)


def _by_authorization(snapshot: ProjectSnapshot) -> dict[str, tuple[Finding, ...]]:
    """Authorization name -> its findings, the most severe first; empty for the project's own."""
    found: dict[str, tuple[Finding, ...]] = {}
    for finding in sorted(snapshot.findings, key=lambda finding: -finding.severity.rank):
        found[finding.authorization] = (*found.get(finding.authorization, ()), finding)
    return found


def _listed(snapshot: ProjectSnapshot, name: str) -> Authorization:
    listed = (snapshot.authorizations or {}).get(name)
    if listed is None:
        msg = (
            f"project {snapshot.project.name} lists no authorization of this name;"
            " it may have been removed"
        )
        raise LookupError(msg)
    return listed
