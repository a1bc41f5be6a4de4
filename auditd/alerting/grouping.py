"""Alerts that are told of together: who is in a group, what its hook knows, when it is due.

Source: https://prometheus.io/docs/alerting/latest/alertmanager/#grouping
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from auditd.alerting.alert import Alert
from auditd.alerting.route import Assignment, RouteNode, RouteSettings


@dataclass(frozen=True, slots=True)
class Member:
    """What the hook knows of one alert of the group."""

    told_at: datetime | None = None
    """When it was last told that the alert fires; None when it does not know."""
    is_routed: bool = True
    """False when routes changed and the alert goes elsewhere now: only its end is told here."""


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts of one route that are told of together. Without members it is over."""

    key: str
    route_id: str
    hook: str
    labels: Mapping[str, str]
    first_at: datetime
    """When it got its first member."""
    last_flush_at: datetime | None = None
    members: Mapping[str, Member] = field(default_factory=dict)
    """By fingerprint."""


def admit(group: Group | None, assignment: Assignment, fingerprint: str, now: datetime) -> Group:
    """The group of `assignment` with an alert that fires; a new one if there was none.

    Idempotent. What the hook was told of the alert before stays known.
    """
    group = group or Group(
        key=assignment.group_key,
        route_id=assignment.route_id,
        hook=assignment.settings.hook,
        labels=assignment.group_labels,
        first_at=now,
    )
    member = replace(group.members.get(fingerprint, Member()), is_routed=True)
    return replace(group, members={**group.members, fingerprint: member})


def withdraw(group: Group, fingerprints: Collection[str]) -> Group:
    """The group without alerts that go elsewhere now; of those that were told the end is owed."""
    members = {
        fingerprint: replace(member, is_routed=member.is_routed and fingerprint not in fingerprints)
        for fingerprint, member in group.members.items()
        if member.told_at or fingerprint not in fingerprints
    }
    return replace(group, members=members)


def regroup(
    groups: Mapping[str, Group], firing: Iterable[Alert], tree: RouteNode, now: datetime
) -> Mapping[str, Group]:
    """All groups, by key, after the routes or labels changed. `firing` are all firing alerts."""
    after = dict(groups)
    belonging: dict[str, set[str]] = {key: set() for key in groups}
    for alert in firing:
        for assignment in tree.assign(alert.labels):
            key = assignment.group_key
            after[key] = admit(after.get(key), assignment, alert.fingerprint, now)
            belonging.setdefault(key, set()).add(alert.fingerprint)
    return {
        key: withdraw(group, group.members.keys() - belonging[key])
        for key, group in sorted(after.items())
    }


def next_flush_at(group: Group, settings: RouteSettings, now: datetime) -> datetime:
    """When the group is to be flushed next: `now` at once when the clock was set back."""
    last_at = group.last_flush_at or group.first_at
    wait = settings.group_interval if group.last_flush_at else settings.group_wait
    return now if last_at > now else last_at + wait
