"""What is known of alerts now, in memory, exactly as the ledger has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.grouping import Group, admit, regroup
from auditd.alerting.hush import Hush, Suppression
from auditd.alerting.inhibition import blind_projects
from auditd.alerting.route import RouteNode, RouteSettings
from auditd.alerting.silence import Acknowledgement, Silence


class Board:
    """Alerts by project, and the groups of those hooks that are told by messages.

    Whoever changes something holds `lock` from reading what it is based on until it is written to
    the ledger and then published here. So nothing is overwritten and nothing is shown that would
    not outlive a crash.

    Args:
        tree: the routes.
        hooks: the names of hooks that are told by messages. Groups of others are not kept here.
        alerts: by project.
        groups: by key.
        silences: those that have not ended.
        acknowledgements: by fingerprint.
    """

    def __init__(
        self,
        tree: RouteNode,
        *,
        hooks: Iterable[str],
        alerts: Mapping[str, tuple[Alert, ...]],
        groups: Mapping[str, Group],
        silences: Iterable[Silence] = (),
        acknowledgements: Mapping[str, Acknowledgement] | None = None,
    ) -> None:
        self.lock = asyncio.Lock()
        self._tree = tree
        self._hooks = frozenset(hooks)
        self._of_project: dict[str, tuple[Alert, ...]] = {}
        self._alerts: dict[str, Alert] = {}
        self._blind: set[str] = set()
        """The projects of which it fires that they are."""
        self._open: dict[str, tuple[tuple[str, AlertState], ...]] = {}
        """By project, of those that somebody has asked for."""
        self._groups: dict[str, Group] = {}
        self._sighted: dict[str, tuple[datetime, datetime]] = {}
        """By project: that what was last seen at the one instant was seen again at the other."""
        self._dormant: dict[str, Group] = {}
        """Those of hooks that are not told by messages, or not there now: they may come back."""
        self._silences = {silence.id: silence for silence in silences}
        self._acknowledgements = dict(acknowledgements or {})
        self._listeners: list[Callable[[str], None]] = []
        for project, its_alerts in alerts.items():
            self._put_alerts(project, its_alerts)
        self.adopt(tree, self._hooks, groups)

    def regrouped(
        self, tree: RouteNode, hooks: Collection[str], now: datetime
    ) -> Mapping[str, Group]:
        """All groups as other routes and hooks make them, by key; not yet published.

        It takes a while when many alerts fire. With the lock held it can be done in a thread.
        """
        firing = [alert for alert in self._alerts.values() if alert.state is AlertState.FIRING]
        known = {**self._dormant, **self._groups}
        groups = regroup(known, firing, tree, now)
        return {key: groups[key] for key in groups if key in known or groups[key].hook in hooks}

    def adopt(self, tree: RouteNode, hooks: Iterable[str], groups: Mapping[str, Group]) -> None:
        """Go by these routes and hooks from now on, with the groups that `regrouped` gave.

        The lock is held from there to here. Listeners are not told; plan all groups anew.
        """
        self._tree = tree
        self._hooks = frozenset(hooks)
        living = {key: group for key, group in groups.items() if group.members}
        self._groups = {key: living[key] for key in living if living[key].hook in self._hooks}
        self._dormant = {key: living[key] for key in living if key not in self._groups}

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """All of them, by fingerprint."""
        for project in tuple(self._sighted):
            self._see(project)
        return self._alerts

    @property
    def projects(self) -> frozenset[str]:
        """Those of which there are alerts."""
        return frozenset(self._of_project)

    @property
    def groups(self) -> Mapping[str, Group]:
        """Those with members, by key."""
        return self._groups

    @property
    def hush(self) -> Hush:
        """All that suppresses alerts now; to be used before anything is published again."""
        return Hush(
            silences=tuple(self._silences.values()),
            acknowledgements=self._acknowledgements,
            blind_projects=self._blind,
        )

    def alerts_of(self, project: str) -> tuple[Alert, ...]:
        """Of one project; empty when nothing is known of it."""
        self._see(project)
        return self._of_project.get(project, ())

    def open_of(self, project: str) -> tuple[tuple[str, AlertState], ...]:
        """Alertname and state of each open alert of a project.

        It is the same object until alerts of the project change in more than when they were seen.
        """
        if (known := self._open.get(project)) is None:
            alerts = self._of_project.get(project, ())
            known = tuple((one.labels["alertname"], one.state) for one in alerts if one.is_open)
            self._open[project] = known
        return known

    def sight(self, project: str, *, seen_at: datetime, again_at: datetime) -> None:
        """A poll found again all that the one at `seen_at` had found, and nothing else.

        What alerts say of it is only written down when somebody looks at them.
        """
        first, _ = self._sighted.get(project, (seen_at, again_at))
        self._sighted[project] = first, again_at

    def sight_latest(self, project: str, at: datetime) -> None:
        """What was seen latest of a project was seen again, by another replica."""
        seen_at = max((alert.last_seen_at for alert in self.alerts_of(project)), default=at)
        if seen_at < at:
            self.sight(project, seen_at=seen_at, again_at=at)

    def members_of(self, group: Group) -> Mapping[str, Alert]:
        """The alerts of a group, by fingerprint. When they were last seen may be out of date."""
        return {key: self._alerts[key] for key in group.members if key in self._alerts}

    def admit(
        self,
        firing: Iterable[Alert],
        now: datetime,
        *,
        drafts: Mapping[str, Group] = MappingProxyType({}),
    ) -> Mapping[str, Group]:
        """The groups that alerts which fire belong to, by key, with them; not yet published.

        `drafts` are groups that are to be published before.
        """
        groups: dict[str, Group] = {}
        for alert in firing:
            for assignment in self._tree.assign(alert.labels):
                if assignment.settings.hook in self._hooks:
                    key = assignment.group_key
                    known = groups.get(key) or drafts.get(key) or self._groups.get(key)
                    groups[key] = admit(known, assignment, alert.fingerprint, now)
        return groups

    def suppressions(self, alert: Alert, now: datetime) -> list[tuple[str, Suppression]]:
        """The hooks that are not told of a firing alert now, and why not."""
        told = ((it.settings.hook, it.settings) for it in self._tree.assign(alert.labels))
        hush = self.hush
        judged = ((hook, hush.suppression(alert, settings, now)) for hook, settings in told)
        return [(hook, suppression) for hook, suppression in judged if suppression]

    def settings_of(self, group: Group) -> RouteSettings:
        """Of the group's route."""
        return self._tree.settings_of(group.route_id)

    def publish(self, project: str, alerts: tuple[Alert, ...], groups: Iterable[Group]) -> None:
        """What was written of one project. A project without alerts is forgotten."""
        self._put_alerts(project, alerts)
        for group in groups:
            self.publish_group(group)

    def publish_group(self, group: Group) -> None:
        """What was written of one group. Without members it is over."""
        if group.members:
            self._groups[group.key] = group
        else:
            self._groups.pop(group.key, None)
        for listener in self._listeners:
            listener(group.key)

    def receive(self, group: Group) -> None:
        """A group as another replica wrote it."""
        if group.hook in self._hooks:
            self.publish_group(group)
        else:
            self._dormant[group.key] = group

    def forget_group(self, key: str) -> None:
        """A group is over that another replica had written."""
        self._groups.pop(key, None)
        self._dormant.pop(key, None)

    def replace_hush(
        self, silences: Iterable[Silence], acknowledgements: Mapping[str, Acknowledgement]
    ) -> None:
        """All that people said of alerts, to whichever replica."""
        self._silences = {silence.id: silence for silence in silences}
        self._acknowledgements = dict(acknowledgements)

    def publish_silence(self, silence: Silence) -> None:
        """A silence that was made or changed."""
        self._silences[silence.id] = silence

    def forget_silence(self, silence_id: str) -> None:
        """A silence that was ended. Idempotent."""
        self._silences.pop(silence_id, None)

    def publish_acknowledgement(self, acknowledgement: Acknowledgement) -> None:
        """An acknowledgement that was made."""
        self._acknowledgements[acknowledgement.fingerprint] = acknowledgement

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the key of every group that is published."""
        self._listeners.append(listener)

    def _see(self, project: str) -> None:
        """Make the alerts of a project say when they were seen again."""
        if sighting := self._sighted.pop(project, None):
            seen_at, again_at = sighting
            alerts = tuple(
                alert.seen_again(again_at) if alert.last_seen_at == seen_at else alert
                for alert in self._of_project.get(project, ())
            )
            self._of_project[project] = alerts
            self._alerts.update((alert.fingerprint, alert) for alert in alerts)

    def _put_alerts(self, project: str, alerts: tuple[Alert, ...]) -> None:
        self._sighted.pop(project, None)
        for alert in self._of_project.pop(project, ()):
            self._alerts.pop(alert.fingerprint, None)
        self._blind.discard(project)
        self._open.pop(project, None)
        if alerts:
            self._of_project[project] = alerts
            self._alerts.update((alert.fingerprint, alert) for alert in alerts)
        self._blind |= blind_projects(alerts)
