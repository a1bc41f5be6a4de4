"""What other replicas changed, as it is stored now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery
from auditd.alerting.grouping import Group
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.store import hush, outbox
from auditd.store.codec import GROUP
from auditd.store.columns import stored_key
from auditd.store.revisions import Change, ChangeKind
from auditd.store.schema import GROUPS
from auditd.store.state import PollTimes, StoredSnapshot, read_alerts, read_snapshots, read_times


@dataclass(frozen=True, slots=True)
class News:
    """What is other than it was. Everything not named here is as it was."""

    snapshots: Mapping[str, StoredSnapshot | None] = field(default_factory=dict)
    """By project name; None of one that is gone."""
    alerts: Mapping[str, tuple[Alert, ...]] = field(default_factory=dict)
    """All alerts of the projects that `snapshots` names; one without any is not in here."""
    times: Mapping[str, PollTimes] = field(default_factory=dict)
    """Of projects of which nothing else changed."""
    groups: Mapping[str, Group] = field(default_factory=dict)
    gone_groups: frozenset[str] = frozenset()
    deliveries: tuple[Delivery, ...] = ()
    """None of these is for this replica to deliver."""
    silences: tuple[Silence, ...] | None = None
    """All of them; None when they are as they were. So are the two that follow."""
    acknowledgements: Mapping[str, Acknowledgement] | None = None
    switched_off: Mapping[str, str] | None = None
    sources: frozenset[str] = frozenset()
    """The discovery sources that gave something else."""
    have_replicas_changed: bool = False
    """Whether one came or left."""

    def __bool__(self) -> bool:
        return self != _NONE


_NONE = News()


def read_news(
    connection: Connection, changes: Collection[Change], known_groups: Collection[str], replica: str
) -> News:
    """What these are now, to `replica`. `known_groups` are the keys of those that may be gone."""
    keys: dict[ChangeKind, set[str]] = {kind: set() for kind in ChangeKind}
    for kind, key in changes:
        keys[kind].add(key)
    projects = keys[ChangeKind.PROJECT]
    stored = read_snapshots(connection, projects)
    groups = _groups(connection, keys[ChangeKind.GROUP])
    has_hush = bool(keys[ChangeKind.HUSH])
    return News(
        snapshots={name: stored.get(name) for name in projects},
        alerts=read_alerts(connection, stored, projects),
        times=read_times(connection, keys[ChangeKind.TIMES] - projects),
        groups=groups,
        gone_groups=frozenset(
            key
            for key in known_groups
            if stored_key(key) in keys[ChangeKind.GROUP] and key not in groups
        ),
        deliveries=outbox.found(connection, keys[ChangeKind.DELIVERY], replica),
        silences=hush.silences(connection) if has_hush else None,
        acknowledgements=hush.acknowledgements(connection) if has_hush else None,
        switched_off=outbox.switched_off(connection) if keys[ChangeKind.HOOK] else None,
        sources=frozenset(keys[ChangeKind.DISCOVERY]),
        have_replicas_changed=bool(keys[ChangeKind.REPLICA]),
    )


def _groups(connection: Connection, keys: Collection[str]) -> Mapping[str, Group]:
    if not keys:
        return {}
    query = select(GROUPS.c.body).where(GROUPS.c.key.in_(keys))
    groups = (GROUP.decode(body) for body in connection.execute(query).scalars())
    return {group.key: group for group in groups}
