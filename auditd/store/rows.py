"""What is stored of polls and groups, so that only what differs is written.

Everything here writes in the caller's transaction, and counts as stored from then on: a later
work of the same transaction goes by it. `undo` gets what takes that back if it is not committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, delete

from auditd.alerting.alert import Alert
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.store import history, transitions
from auditd.store.news import News
from auditd.store.poll import Poll
from auditd.store.project_rows import ProjectRows, alert_rows, stored_rows
from auditd.store.revisions import ChangeKind, changed, require_seen, unseen
from auditd.store.schema import SNAPSHOTS
from auditd.store.sheet import Sheet, replace_alerts, write_groups, write_times
from auditd.store.state import PollTimes, StoredState, read_state

_V = TypeVar("_V")


class Rows:
    """The rows as they are stored, beginning with `state`."""

    def __init__(self, state: StoredState) -> None:
        self._projects: dict[str, ProjectRows] = {}
        self._groups: dict[str, Group] = {}
        self._late: dict[str, PollTimes] = {}
        """Of quiet polls. These the event loop puts down, with operations that are one step each,
        while the thread of the database takes them away: so a quiet poll waits for nothing."""
        self._sheet = Sheet()
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
        self._late.clear()

    @property
    def are_late(self) -> bool:
        """Whether there are times of polls that were not written yet."""
        return bool(self._late)

    def hold_back(self, poll: Poll, project: ProjectRows) -> bool:
        """Whether the poll changed nothing but times; these are written later then.

        `project` are the rows of the poll.
        """
        is_news = poll.transitions or self._changed_groups(poll.groups)
        if is_news or self._projects.get(poll.project) != project:
            self._late.pop(poll.project, None)
            return False
        self._late[poll.project] = poll.times
        return True

    def hold_back_times(self, name: str, times: PollTimes) -> None:
        """Times of a poll that changed nothing else; they are written later."""
        self._late[name] = times

    def write_poll(
        self, connection: Connection, undo: ExitStack, *, poll: Poll, project: ProjectRows
    ) -> None:
        """What a poll changed, and with it what was held back. It is put off until `put_down`."""
        if poll.project in self._sheet.projects:
            self.put_down(connection)
        stored = self._projects.get(poll.project)
        groups = self._changed_groups(poll.groups)
        revised = [(ChangeKind.PROJECT, poll.project), (ChangeKind.TIMES, poll.project)]
        revised += ((ChangeKind.GROUP, key) for key in groups)
        require_seen(connection, revised)
        changed(connection, revised)
        undo.callback(self._clear)
        self._sheet.times |= self._take_late_times(connection, undo)
        self._sheet.add(poll, project, stored)
        self._sheet.groups |= groups
        _put(self._projects, poll.project, project, undo)
        self._note_groups(groups, undo)

    def put_down(self, connection: Connection) -> None:
        """Write what was put off; whatever else is to be written comes after it."""
        sheet, self._sheet = self._sheet, Sheet()
        sheet.write(connection)

    def _clear(self) -> None:
        self._sheet = Sheet()

    def write_late_times(self, connection: Connection, undo: ExitStack) -> None:
        """The times that only the quiet polls since the last transaction changed."""
        write_times(connection, self._take_late_times(connection, undo))

    def _take_late_times(self, connection: Connection, undo: ExitStack) -> Mapping[str, PollTimes]:
        late: dict[str, PollTimes] = {}
        while self._late:
            late.update([self._late.popitem()])
        if not late:
            return {}
        undo.callback(self._give_back, late)
        outdated = unseen(connection, ChangeKind.PROJECT) | unseen(connection, ChangeKind.TIMES)
        wanted = self._projects.keys() - outdated
        return {name: late[name] for name in late if name in wanted}

    def _give_back(self, late: Mapping[str, PollTimes]) -> None:
        """Later ones that came meanwhile stay."""
        for name, times in late.items():
            self._late.setdefault(name, times)

    def write_groups(
        self, connection: Connection, undo: ExitStack, groups: Iterable[Group]
    ) -> None:
        """Groups that differ; one without members is over and is removed."""
        revised = self._changed_groups(groups)
        changes = [(ChangeKind.GROUP, key) for key in revised]
        require_seen(connection, changes)
        changed(connection, changes)
        write_groups(connection, revised)
        self._note_groups(revised, undo)

    def _note_groups(self, groups: Mapping[str, Group], undo: ExitStack) -> None:
        for key, group in groups.items():
            _put(self._groups, key, group if group.members else None, undo)

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
        replace_alerts(connection, name, alert_rows(alerts, None))
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
