"""What the polls of one transaction write: each table is written once for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete

from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.audit.history import HistoryEntry, changes
from auditd.store import history, transitions
from auditd.store.codec import encode, encode_alert
from auditd.store.poll import Poll
from auditd.store.project_rows import AlertRows, ProjectRows
from auditd.store.revisions import ChangeKind, changed, number_of
from auditd.store.schema import ALERTS, GROUPS, POLLS, SNAPSHOTS
from auditd.store.state import PollTimes, StoredSnapshot
from auditd.store.statement import Statement
from auditd.store.upsert import upsert

_FORGET_ALERTS = Statement(
    lambda _: delete(ALERTS).where(ALERTS.c.project == bindparam("of_project")), ("of_project",)
)
_DELETE_ALERTS = Statement(
    lambda _: delete(ALERTS).where(
        ALERTS.c.project == bindparam("of_project"),
        ALERTS.c.fingerprint == bindparam("of_fingerprint"),
    ),
    ("of_project", "of_fingerprint"),
)
_DELETE_GROUPS = Statement(
    lambda _: delete(GROUPS).where(GROUPS.c.key == bindparam("of_key")), ("of_key",)
)


@dataclass(eq=False, slots=True)
class Sheet:
    """What differs from what is stored, until it is written. A project is on it at most once."""

    projects: set[str] = field(default_factory=set)
    """Those of which a poll is on it."""
    groups: dict[str, Group] = field(default_factory=dict)
    """By key. One without members is over and is removed."""
    times: dict[str, PollTimes] = field(default_factory=dict)
    """By project, also of such as are not on it."""
    _snapshots: list[Mapping[str, str]] = field(default_factory=list)
    _alerts: list[Mapping[str, Any]] = field(default_factory=list)
    _gone_alerts: list[tuple[str, str]] = field(default_factory=list)
    _unknown: list[str] = field(default_factory=list)
    """Projects of which it is not known what is stored of their alerts."""
    _begun: dict[str, datetime] = field(default_factory=dict)
    """Projects with no past, or with that of another that had the name; from when on."""
    _first_entries: list[HistoryEntry] = field(default_factory=list)
    """Those of projects that are begun."""
    _entries: list[HistoryEntry] = field(default_factory=list)
    _transitions: list[Transition] = field(default_factory=list)

    def add(self, poll: Poll, project: ProjectRows, stored: ProjectRows | None) -> None:
        """What a poll changed; all of it when it is not known what is stored."""
        name = poll.project
        self.projects.add(name)
        if stored is None:
            self._unknown.append(name)
        if stored is None or not project.is_seen_as(stored):
            body = encode(project.sight)
            row = {"project": name, "project_id": project.project_id, "body": body}
            self._snapshots.append(row)
        known: AlertRows = stored.alerts if stored else {}
        revised = {key: row for key, row in project.alerts.items() if known.get(key) != row}
        self._alerts += _alert_values(name, revised)
        self._gone_alerts += ((name, key) for key in known.keys() - project.alerts.keys())
        self._add_history(poll, stored)
        self._transitions += poll.transitions
        self.times[name] = poll.times

    def _add_history(self, poll: Poll, stored: ProjectRows | None) -> None:
        """What the poll changed; a project of another id that had this name has left."""
        project = poll.snapshot.project
        if stored is None or stored.project_id != project.project_id:
            self._begun[poll.project] = poll.at
            self._first_entries += changes(None, poll.snapshot)
            return
        known = stored.authorizations
        before = StoredSnapshot(stored.project_id, stored.sight, PollTimes(), known).of(project)
        self._entries += changes(before, poll.snapshot)

    def write(self, connection: Connection) -> None:
        """All that is on it."""
        _FORGET_ALERTS.run(connection, ((name,) for name in self._unknown))
        upsert(connection, SNAPSHOTS, self._snapshots)
        upsert(connection, ALERTS, self._alerts)
        _DELETE_ALERTS.run(connection, self._gone_alerts)
        history.begin(connection, self._begun)
        history.add(connection, self._first_entries)
        history.enter(connection, self._entries)
        write_groups(connection, self.groups)
        transitions.enter(connection, self._transitions)
        write_times(connection, self.times)


def write_groups(connection: Connection, groups: Mapping[str, Group]) -> None:
    """Groups by key; one without members is over and is removed."""
    rows = [{"key": key, "body": encode(it)} for key, it in groups.items() if it.members]
    upsert(connection, GROUPS, rows)
    _DELETE_GROUPS.run(connection, ((key,) for key, it in groups.items() if not it.members))


def write_times(connection: Connection, times: Mapping[str, PollTimes]) -> None:
    """Times by project, each of which has a snapshot."""
    if not times:
        return
    changed(connection, [(ChangeKind.TIMES, "")])
    number = number_of(connection)
    rows = [
        {
            "project": name,
            "attempted_at": each.attempted_at,
            "succeeded_at": each.succeeded_at,
            "failures_in_a_row": each.failures_in_a_row,
            "sighted_at": each.sighted_at,
            "number": number,
        }
        for name, each in times.items()
    ]
    upsert(connection, POLLS, rows)


def replace_alerts(connection: Connection, project: str, rows: AlertRows) -> None:
    """These are all alerts of a project."""
    _FORGET_ALERTS.run(connection, [(project,)])
    upsert(connection, ALERTS, _alert_values(project, rows))


def _alert_values(project: str, rows: AlertRows) -> Sequence[Mapping[str, Any]]:
    """What is in the columns of these rows."""
    return [
        {
            "project": project,
            "fingerprint": fingerprint,
            "last_seen_at": row.last_seen_at,
            "body": encode_alert(row.alert),
        }
        for fingerprint, row in rows.items()
    ]
