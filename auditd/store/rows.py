"""What is stored of polls and groups, so that only what differs is written.

Everything here writes in the caller's transaction and returns what is to be called once that
is committed: only then is it known as stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Table, bindparam, delete

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store.codec import Sight, encode, encode_alert, sight_of
from auditd.store.schema import ALERTS, GROUPS, POLLS, SNAPSHOTS, upsert
from auditd.store.state import PollTimes, StoredState
from auditd.store.trail import TrailEvent, TrailKind, append

Adopt: TypeAlias = Callable[[], None]
"""To be called once the transaction is committed."""

_UNTOLD = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _AlertRow:
    alert: Alert
    """With `last_seen_at` blanked."""
    last_seen_at: datetime | None
    """None while it is the project's `sighted_at`."""


_AlertRows: TypeAlias = Mapping[str, _AlertRow]
"""By fingerprint."""


@dataclass(frozen=True, slots=True)
class _Project:
    """The rows of one project."""

    project_id: str
    sight: Sight
    alerts: _AlertRows


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll made of a project, see `Store.record_poll`."""

    snapshot: ProjectSnapshot
    alerts: tuple[Alert, ...]
    transitions: tuple[Transition, ...]
    groups: tuple[Group, ...]

    @property
    def project(self) -> str:
        """The project's name."""
        return self.snapshot.project.name

    @property
    def times(self) -> PollTimes:
        """What every poll changes."""
        return PollTimes(
            attempted_at=self.snapshot.attempted_at,
            succeeded_at=self.snapshot.succeeded_at,
            failures_in_a_row=self.snapshot.failures_in_a_row,
            sighted_at=max((alert.last_seen_at for alert in self.alerts), default=None),
        )


class Rows:
    """The rows as they are stored, beginning with `state`."""

    def __init__(self, state: StoredState) -> None:
        self._projects = {
            name: _Project(
                stored.project_id,
                stored.sight,
                _alert_rows(state.alerts.get(name, ()), stored.times.sighted_at),
            )
            for name, stored in state.snapshots.items()
        }
        self._groups = dict(state.groups)
        self._late: dict[str, PollTimes] = {}

    @property
    def are_late(self) -> bool:
        """Whether there are times of polls that were not written yet."""
        return bool(self._late)

    def hold_back(self, poll: Poll) -> bool:
        """Whether the poll changed nothing but times; these are written later then."""
        project = _project(poll)
        changed = poll.transitions or self._changed_groups(poll.groups)
        if changed or self._projects.get(poll.project) != project:
            return False
        self._late[poll.project] = poll.times
        return True

    def write_poll(self, connection: Connection, poll: Poll) -> Adopt:
        """What a poll changed, and with it what was held back."""
        project = _project(poll)
        _write_project(connection, poll.project, project, self._projects.get(poll.project))
        adopt_groups = self.write_groups(connection, poll.groups)
        append_transitions(connection, poll.transitions)
        _upsert_times(connection, {**self._late, poll.project: poll.times})

        def adopt() -> None:
            self._projects[poll.project] = project
            self._late.clear()
            adopt_groups()

        return adopt

    def write_late_times(self, connection: Connection) -> Adopt:
        """The times that only the quiet polls since the last transaction changed."""
        _upsert_times(connection, self._late)
        return self._late.clear

    def write_groups(self, connection: Connection, groups: Iterable[Group]) -> Adopt:
        """Groups that differ; one without members is over and is removed."""
        changed = self._changed_groups(groups)
        gone = [key for key, group in changed.items() if not group.members]
        kept = {key: group for key, group in changed.items() if group.members}
        upsert(connection, GROUPS, [{"key": key, "body": encode(kept[key])} for key in kept])
        _delete(connection, GROUPS, [{"key": key} for key in gone])

        def adopt() -> None:
            self._groups.update(kept)
            for key in gone:
                self._groups.pop(key, None)

        return adopt

    def forget_project(
        self,
        connection: Connection,
        name: str,
        alerts: Iterable[Alert],
        transitions: Iterable[Transition],
    ) -> Adopt:
        """A project that left the fleet: its snapshot, and all alerts but these."""
        connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.project == name))
        connection.execute(delete(ALERTS).where(ALERTS.c.project == name))
        _upsert_alerts(connection, name, _alert_rows(alerts, None))
        append_transitions(connection, transitions)

        def adopt() -> None:
            self._projects.pop(name, None)
            self._late.pop(name, None)

        return adopt

    def _changed_groups(self, groups: Iterable[Group]) -> Mapping[str, Group]:
        return {group.key: group for group in groups if self._groups.get(group.key) != group}


def append_transitions(connection: Connection, transitions: Iterable[Transition]) -> None:
    """Enter what fired and what ended into the trail."""
    if events := [_event(transition) for transition in transitions]:
        append(connection, events)


def _event(transition: Transition) -> TrailEvent:
    alert = transition.alert
    is_firing = alert.state is AlertState.FIRING
    names = ("alertname", "project", "authorization", "severity")
    detail = {name: alert.labels.get(name, "") for name in names}
    detail["end_reason"] = "" if is_firing else str(alert.end_reason or "")
    kind = TrailKind.ALERT_FIRED if is_firing else TrailKind.ALERT_RESOLVED
    return TrailEvent(transition.at, kind, alert.fingerprint, detail)


def _project(poll: Poll) -> _Project:
    return _Project(
        project_id=poll.snapshot.project.project_id,
        sight=sight_of(poll.snapshot),
        alerts=_alert_rows(poll.alerts, poll.times.sighted_at),
    )


def _alert_rows(alerts: Iterable[Alert], sighted_at: datetime | None) -> _AlertRows:
    return {
        alert.fingerprint: _AlertRow(
            alert=replace(alert, last_seen_at=_UNTOLD),
            last_seen_at=None if alert.last_seen_at == sighted_at else alert.last_seen_at,
        )
        for alert in alerts
    }


def _write_project(
    connection: Connection, name: str, project: _Project, stored: _Project | None
) -> None:
    """Whatever differs; all of it when it is not known what is stored."""
    if stored is None:
        connection.execute(delete(ALERTS).where(ALERTS.c.project == name))
    known: _AlertRows = stored.alerts if stored else {}
    if stored is None or (stored.project_id, stored.sight) != (project.project_id, project.sight):
        row = {"project": name, "project_id": project.project_id, "body": encode(project.sight)}
        upsert(connection, SNAPSHOTS, [row])
    changed = {key: row for key, row in project.alerts.items() if known.get(key) != row}
    _upsert_alerts(connection, name, changed)
    gone = [{"project": name, "fingerprint": key} for key in known.keys() - project.alerts.keys()]
    _delete(connection, ALERTS, gone)


def _upsert_times(connection: Connection, times: Mapping[str, PollTimes]) -> None:
    rows = [{"project": name, **asdict(each)} for name, each in times.items()]
    upsert(connection, POLLS, rows)


def _upsert_alerts(connection: Connection, name: str, rows: _AlertRows) -> None:
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
        is_one = (table.c[name] == bindparam(f"of_{name}") for name in keys[0])
        rows = [{f"of_{name}": value for name, value in key.items()} for key in keys]
        connection.execute(delete(table).where(*is_one), rows)
