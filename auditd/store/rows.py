"""What is stored of polls and groups, so that only what differs is written.

Everything here writes in the caller's transaction, and counts as stored from then on: a later
work of the same transaction goes by it. `undo` gets what takes that back if it is not committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Delete, Table, bindparam, delete

from auditd.alerting.alert import Alert
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.audit.history import changes
from auditd.store import history, transitions
from auditd.store.codec import encode, encode_alert
from auditd.store.news import News
from auditd.store.poll import Poll
from auditd.store.project_rows import AlertRows, ProjectRows, alert_rows, rows_of, stored_rows
from auditd.store.revisions import ChangeKind, changed, number_of, require_seen, unseen
from auditd.store.schema import ALERTS, GROUPS, POLLS, SNAPSHOTS, upsert
from auditd.store.state import PollTimes, StoredSnapshot, StoredState, read_state

_V = TypeVar("_V")

_FORGET_ALERTS = delete(ALERTS).where(ALERTS.c.project == bindparam("of_project"))


class Rows:
    """The rows as they are stored, beginning with `state`."""

    def __init__(self, state: StoredState) -> None:
        self._projects: dict[str, ProjectRows] = {}
        self._groups: dict[str, Group] = {}
        self._late: dict[str, PollTimes] = {}
        self._adopt(state)

    def reload(self, connection: Connection) -> None:
        """Begin anew with what is stored: it is not known which of the last works are."""
        self._adopt(read_state(connection))

    def learn(self, news: News) -> None:
        """What other replicas wrote counts as stored."""
        for name, stored in news.snapshots.items():
            self._late.pop(name, None)
            project = stored_rows(stored, news.alerts, name) if stored else None
            _restore(self._projects, name, project)
        for name in news.times:
            self._late.pop(name, None)
        for key in news.gone_groups:
            self._groups.pop(key, None)
        self._groups.update(news.groups)

    def group_keys(self) -> tuple[str, ...]:
        """Those of all groups that are stored."""
        return tuple(self._groups)

    def _adopt(self, state: StoredState) -> None:
        self._projects = {
            name: stored_rows(stored, state.alerts, name)
            for name, stored in state.snapshots.items()
        }
        self._groups = dict(state.groups)
        self._late = {}

    @property
    def are_late(self) -> bool:
        """Whether there are times of polls that were not written yet."""
        return bool(self._late)

    def hold_back(self, poll: Poll) -> bool:
        """Whether the poll changed nothing but times; these are written later then."""
        project = rows_of(poll)
        is_news = poll.transitions or self._changed_groups(poll.groups)
        if is_news or self._projects.get(poll.project) != project:
            self._late.pop(poll.project, None)
            return False
        self._late[poll.project] = poll.times
        return True

    def hold_back_times(self, name: str, times: PollTimes) -> bool:
        """Times of a poll that changed nothing else; they are written later."""
        if name in self._projects:
            self._late[name] = times
        return True

    def write_poll(self, connection: Connection, undo: ExitStack, poll: Poll) -> None:
        """What a poll changed, and with it what was held back."""
        project, stored = rows_of(poll), self._projects.get(poll.project)
        revised = [(ChangeKind.PROJECT, poll.project), (ChangeKind.TIMES, poll.project)]
        require_seen(connection, revised)
        changed(connection, revised)
        _write_project(connection, poll.project, project, stored)
        _write_history(connection, poll, stored)
        self.write_groups(connection, undo, poll.groups)
        transitions.enter(connection, poll.transitions)
        _upsert_times(connection, {poll.project: poll.times})
        _put(self._projects, poll.project, project, undo)
        self.write_late_times(connection, undo)

    def write_late_times(self, connection: Connection, undo: ExitStack) -> None:
        """The times that only the quiet polls since the last transaction changed."""
        late, self._late = self._late, {}
        undo.callback(setattr, self, "_late", late)
        outdated = unseen(connection, ChangeKind.PROJECT) | unseen(connection, ChangeKind.TIMES)
        _upsert_times(connection, {name: late[name] for name in late if name not in outdated})

    def write_groups(
        self, connection: Connection, undo: ExitStack, groups: Iterable[Group]
    ) -> None:
        """Groups that differ; one without members is over and is removed."""
        revised = self._changed_groups(groups)
        require_seen(connection, ((ChangeKind.GROUP, key) for key in revised))
        changed(connection, ((ChangeKind.GROUP, key) for key in revised))
        kept = {key: group for key, group in revised.items() if group.members}
        upsert(connection, GROUPS, [{"key": key, "body": encode(kept[key])} for key in kept])
        _delete(connection, GROUPS, [{"key": key} for key in revised.keys() - kept.keys()])
        for key in revised:
            _put(self._groups, key, kept.get(key), undo)

    def forget_project(
        self,
        connection: Connection,
        undo: ExitStack,
        *,
        name: str,
        at: datetime,
        alerts: Iterable[Alert],
        ended: Iterable[Transition],
    ) -> None:
        """A project that left the fleet: its snapshot, and all alerts but these."""
        require_seen(connection, [(ChangeKind.PROJECT, name)])
        changed(connection, [(ChangeKind.PROJECT, name)])
        history.depart(connection, name, at)
        connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.project == name))
        connection.execute(_FORGET_ALERTS, {"of_project": name})
        _upsert_alerts(connection, name, alert_rows(alerts, None))
        transitions.enter(connection, ended)
        _put(self._projects, name, None, undo)
        self._late.pop(name, None)

    def _changed_groups(self, groups: Iterable[Group]) -> Mapping[str, Group]:
        return {group.key: group for group in groups if self._groups.get(group.key) != group}


def _put(known: dict[str, _V], key: str, value: _V | None, undo: ExitStack) -> None:
    """Note that something is stored now, or with None that it is not any more."""
    undo.callback(_restore, known, key, known.get(key))
    _restore(known, key, value)


def _restore(known: dict[str, _V], key: str, value: _V | None) -> None:
    if value is None:
        known.pop(key, None)
    else:
        known[key] = value


def _write_project(
    connection: Connection, name: str, project: ProjectRows, stored: ProjectRows | None
) -> None:
    """Whatever differs; all of it when it is not known what is stored."""
    if stored is None:
        connection.execute(_FORGET_ALERTS, {"of_project": name})
    known: AlertRows = stored.alerts if stored else {}
    if stored is None or (stored.project_id, stored.sight) != (project.project_id, project.sight):
        row = {"project": name, "project_id": project.project_id, "body": encode(project.sight)}
        upsert(connection, SNAPSHOTS, [row])
    changed = {key: row for key, row in project.alerts.items() if known.get(key) != row}
    _upsert_alerts(connection, name, changed)
    gone = [{"project": name, "fingerprint": key} for key in known.keys() - project.alerts.keys()]
    _delete(connection, ALERTS, gone)


def _write_history(connection: Connection, poll: Poll, stored: ProjectRows | None) -> None:
    """What the poll changed; a project of another id that had this name has left."""
    project = poll.snapshot.project
    if stored is None or stored.project_id != project.project_id:
        history.begin(connection, poll.project, poll.at, changes(None, poll.snapshot))
        return
    before = StoredSnapshot(stored.project_id, stored.sight, PollTimes()).of(project)
    history.enter(connection, changes(before, poll.snapshot))


def _upsert_times(connection: Connection, times: Mapping[str, PollTimes]) -> None:
    if times:
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


def _upsert_alerts(connection: Connection, name: str, rows: AlertRows) -> None:
    values = [
        {
            "project": name,
            "fingerprint": fingerprint,
            "last_seen_at": row.last_seen_at,
            "body": encode_alert(row.alert),
        }
        for fingerprint, row in rows.items()
    ]
    upsert(connection, ALERTS, values)


def _delete(connection: Connection, table: Table, keys: list[dict[str, Any]]) -> None:
    if keys:
        connection.execute(_deletion(table), keys)


@cache
def _deletion(table: Table) -> Delete:
    """Kept, because to make a statement takes longer than to run it."""
    return delete(table).where(*(column == bindparam(column.key) for column in table.primary_key))
