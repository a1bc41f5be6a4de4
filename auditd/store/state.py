"""Everything that the daemon goes on from after a restart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery
from auditd.alerting.grouping import Group
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.audit.authorization import Authorization
from auditd.audit.project import Project
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store import history, hush, outbox
from auditd.store.codec import GROUP, SIGHT, Sight, decode_alert
from auditd.store.revisions import last_number
from auditd.store.schema import ALERTS, GROUPS, POLLS, SNAPSHOTS
from auditd.store.trail import read_end


@quick
@dataclass(frozen=True, slots=True)
class PollTimes:
    """What every poll changes."""

    attempted_at: datetime | None = None
    succeeded_at: datetime | None = None
    failures_in_a_row: int = 0
    sighted_at: datetime | None = None
    """The latest `last_seen_at` of the project's alerts; None when it has none."""


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot without the settings of its project, which are the configuration's."""

    project_id: str
    sight: Sight
    times: PollTimes
    authorizations: Mapping[str, Authorization] = field(default_factory=dict)
    """By name, sorted; empty until a list came."""

    def of(self, project: Project) -> ProjectSnapshot:
        """The snapshot of a project with these settings, but for when authorizations become stale.

        It is a blank one if the project has another id: then nothing is known of it yet.
        """
        if project.project_id != self.project_id:
            return ProjectSnapshot(project)
        return ProjectSnapshot(
            project=project,
            attempted_at=self.times.attempted_at,
            succeeded_at=self.times.succeeded_at,
            failure=self.sight.failure,
            failure_message=self.sight.failure_message,
            failures_in_a_row=self.times.failures_in_a_row,
            authorizations=self.authorizations if self.sight.is_listed else None,
            findings=self.sight.findings,
            verifications=self.sight.verifications,
        )


@dataclass(frozen=True, slots=True)
class StoredState:
    """All that was stored, as it was."""

    snapshots: Mapping[str, StoredSnapshot] = field(default_factory=dict)
    """By project name."""
    alerts: Mapping[str, tuple[Alert, ...]] = field(default_factory=dict)
    """By project name, then by fingerprint; those of projects that are gone are among them."""
    groups: Mapping[str, Group] = field(default_factory=dict)
    """By key."""
    silences: tuple[Silence, ...] = ()
    acknowledgements: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """By fingerprint."""
    pending: tuple[Delivery, ...] = ()
    """In the order in which they came to be owed."""
    switched_off: Mapping[str, str] = field(default_factory=dict)
    """Hook name -> why."""
    number: int = 0
    """Of the last revision that is in this; see `auditd.store.revisions`."""

    def snapshot_of(self, project: Project) -> ProjectSnapshot:
        """What is known of a project; a blank snapshot when nothing is."""
        stored = self.snapshots.get(project.name)
        return stored.of(project) if stored else ProjectSnapshot(project)


def read_state(connection: Connection) -> StoredState:
    """Everything. Raises ValueError or TypeError for what was not stored by this program."""
    read_end(connection, "head")
    snapshots = read_snapshots(connection)
    return StoredState(
        snapshots=snapshots,
        alerts=read_alerts(connection, snapshots),
        groups=_groups(connection),
        silences=hush.silences(connection),
        acknowledgements=hush.acknowledgements(connection),
        pending=outbox.pending(connection),
        switched_off=outbox.switched_off(connection),
        number=last_number(connection),
    )


def read_snapshots(
    connection: Connection, projects: Collection[str] | None = None
) -> Mapping[str, StoredSnapshot]:
    """By project name: those of all projects, or of these as far as there are any."""
    query = select(SNAPSHOTS, POLLS).join_from(SNAPSHOTS, POLLS).order_by(SNAPSHOTS.c.project)
    if projects is not None:
        query = query.where(SNAPSHOTS.c.project.in_(projects))
    listed = history.listed(connection, projects)
    return {
        row.project: StoredSnapshot(
            row.project_id, SIGHT.decode(row.body), _times(row), listed.get(row.project, {})
        )
        for row in connection.execute(query)
    }


def read_times(connection: Connection, projects: Collection[str]) -> Mapping[str, PollTimes]:
    """By project name: those of these projects, as far as there are any."""
    if not projects:
        return {}
    rows = connection.execute(select(POLLS).where(POLLS.c.project.in_(projects)))
    return {row.project: _times(row) for row in rows}


def _groups(connection: Connection) -> Mapping[str, Group]:
    bodies = connection.execute(select(GROUPS.c.body).order_by(GROUPS.c.key)).scalars()
    groups = (GROUP.decode(body) for body in bodies)
    return {group.key: group for group in groups}


def _times(row: Row[Any]) -> PollTimes:
    return PollTimes(row.attempted_at, row.succeeded_at, row.failures_in_a_row, row.sighted_at)


def read_alerts(
    connection: Connection,
    snapshots: Mapping[str, StoredSnapshot],
    projects: Collection[str] | None = None,
) -> Mapping[str, tuple[Alert, ...]]:
    """By project name: those of all projects, or of these. `snapshots` has those of them all."""
    alerts: dict[str, list[Alert]] = {}
    query = select(ALERTS).order_by(ALERTS.c.project, ALERTS.c.fingerprint)
    if projects is not None:
        query = query.where(ALERTS.c.project.in_(projects))
    for row in connection.execute(query):
        stored = snapshots.get(row.project)
        sighted_at = stored.times.sighted_at if stored else None
        last_seen_at = row.last_seen_at or sighted_at
        if last_seen_at is None:
            msg = f"an alert of project {row.project} was never seen"
            raise ValueError(msg)
        alerts.setdefault(row.project, []).append(decode_alert(row.body, last_seen_at))
    return {project: tuple(kept) for project, kept in alerts.items()}
