"""The part of the API that tells of projects, and of what was seen of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from msgspec import UNSET

from auditd.alerting.labels import labels_of
from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.api_answer import ApiError, ErrorType, asking_the_office
from auditd.web.api_demand import (
    Demand,
    guard_patterns,
    labels_of_authorization,
    labels_of_project,
)
from auditd.web.api_fields import check_instant
from auditd.web.api_fleet_view import (
    AuthorizationView,
    FindingView,
    HistoryView,
    ProjectView,
    state_of,
    view_authorization,
    view_finding,
    view_history,
    view_project,
)
from auditd.web.api_page import Key, Page, Slices, from_groups, make_page, read_cursor, write_cursor
from auditd.web.api_query import (
    AuthorizationQuery,
    FindingQuery,
    HistoryQuery,
    ProjectQuery,
    Query,
)
from auditd.web.api_route import Call
from auditd.web.fleet_office import FleetOffice
from auditd.web.guard import Guard

_Found: TypeAlias = tuple[ProjectSnapshot, Authorization, tuple[Finding, ...]]
_LONGEST_SEQ = 18
"""Digits. What has more is no seq that a database can hold."""


class FleetApi:
    """One method a route; each returns what is shown."""

    def __init__(self, office: FleetOffice, guard: Guard, slices: Slices) -> None:
        self._office = office
        self._guard = guard
        self._slices = slices

    async def projects(self, call: Call[ProjectQuery, None]) -> Page[ProjectView]:
        """All that fit."""
        guard_patterns(call.query, self._guard, call.request)
        demand, states = Demand(call.query), frozenset(call.query.state)
        next_polls = self._office.next_polls()

        def view(snapshot: ProjectSnapshot) -> ProjectView | None:
            is_wanted = (
                (not states or state_of(snapshot) in states)
                and demand.suits_status((snapshot.authorizations or {}).values())
                and demand.suits_findings(snapshot.findings)
                and demand.suits(lambda: labels_of_project(snapshot.project))
            )
            name = snapshot.project.name
            return view_project(snapshot, next_polls.get(name)) if is_wanted else None

        def expand(snapshot: ProjectSnapshot) -> Iterator[tuple[Key, ProjectSnapshot]]:
            yield (snapshot.project.name,), snapshot

        rows = from_groups(self._by_name, call.query, expand, call.query.project)
        return await make_page(self._slices, call.query, rows, view)

    async def project(self, call: Call[Query, None]) -> ProjectView:
        """The one."""
        name = call.parts["project"]
        with asking_the_office():
            return view_project(self._office.snapshot(name), self._office.next_polls().get(name))

    async def authorizations(self, call: Call[AuthorizationQuery, None]) -> Page[AuthorizationView]:
        """All that fit."""
        guard_patterns(call.query, self._guard, call.request)
        demand, names = Demand(call.query), frozenset(call.query.authorization)

        def view(found: _Found) -> AuthorizationView | None:
            snapshot, authorization, findings = found
            is_wanted = (
                (not names or authorization.name in names)
                and demand.suits_status((authorization,))
                and demand.suits_findings(findings)
                and demand.suits(lambda: labels_of_authorization(snapshot.project, authorization))
            )
            return view_authorization(*found) if is_wanted else None

        rows = from_groups(self._by_name, call.query, _authorizations, call.query.project)
        return await make_page(self._slices, call.query, rows, view)

    async def authorization(self, call: Call[Query, None]) -> AuthorizationView:
        """The one."""
        return view_authorization(*find_authorization(self._office, call.parts))

    async def findings(self, call: Call[FindingQuery, None]) -> Page[FindingView]:
        """All that fit."""
        guard_patterns(call.query, self._guard, call.request)
        demand, global_labels = Demand(call.query), self._office.rules().labels

        def view(row: tuple[ProjectSnapshot, Finding]) -> FindingView | None:
            snapshot, finding = row
            project = snapshot.project
            listed = (snapshot.authorizations or {}).get(finding.authorization)
            is_wanted = (
                demand.suits_grade(finding.check, finding.severity)
                and demand.suits_status((listed,) if listed else ())
                and demand.suits(
                    lambda: labels_of(finding, project, listed, global_labels), finding.summary
                )
            )
            return view_finding(project.name, finding) if is_wanted else None

        rows = from_groups(self._by_name, call.query, _findings, call.query.project)
        return await make_page(self._slices, call.query, rows, view)

    async def history(self, call: Call[HistoryQuery, None]) -> Page[HistoryView]:
        """Of a project, or of one authorization; also of those that are gone."""
        query = call.query
        with asking_the_office():
            entries = await self._office.history(
                call.parts["project"],
                authorization=call.parts.get("authorization"),
                since=check_instant(query.since, "since") if query.since is not UNSET else None,
                before=_read_seq(query.cursor),
                limit=query.limit + 1,
            )
        shown = [view_history(entry) for entry in entries[: query.limit]]
        is_last = len(entries) <= query.limit
        return Page(shown, None if is_last else write_cursor((str(shown[-1].seq),)))

    def _by_name(self) -> Mapping[str, ProjectSnapshot]:
        return {snapshot.project.name: snapshot for snapshot in self._office.snapshots()}


def find_authorization(office: FleetOffice, parts: Mapping[str, str]) -> _Found:
    """The authorization that a path names, and what was found of it.

    Raises:
        ApiError: there is none.
    """
    with asking_the_office():
        snapshot = office.snapshot(parts["project"])
    name = parts["authorization"]
    authorization = (snapshot.authorizations or {}).get(name)
    if authorization is None:
        msg = f"project {snapshot.project.name!r} has no authorization {name!r}"
        raise ApiError(ErrorType.NOT_FOUND, msg)
    return (
        snapshot,
        authorization,
        tuple(it for it in snapshot.findings if it.authorization == name),
    )


def _authorizations(snapshot: ProjectSnapshot) -> Iterator[tuple[Key, _Found]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in snapshot.findings:
        found[finding.authorization].append(finding)
    for name, authorization in (snapshot.authorizations or {}).items():
        yield (snapshot.project.name, name), (snapshot, authorization, tuple(found.get(name, ())))


def _findings(snapshot: ProjectSnapshot) -> Iterator[tuple[Key, tuple[ProjectSnapshot, Finding]]]:
    for finding in snapshot.findings:
        yield (snapshot.project.name, *finding.key), (snapshot, finding)


def _read_seq(cursor: str) -> int | None:
    key = read_cursor(cursor)
    if not key:
        return None
    if len(key) > 1 or not key[0].isdecimal() or len(key[0]) > _LONGEST_SEQ:
        raise ApiError(ErrorType.BAD_DATA, "cursor: is of another list")
    return int(key[0])
