"""What is known of alerts now, in memory, exactly as the ledger has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

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
        self._blind: dict[str, frozenset[str]] = {}
        self._groups: dict[str, Group] = {}
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
        """All that suppresses alerts now."""
        return Hush(
            silences=tuple(self._silences.values()),
            acknowledgements=self._acknowledgements,
            blind_projects=frozenset[str]().union(*self._blind.values()),
        )

    def alerts_of(self, project: str) -> tuple[Alert, ...]:
        """Of one project; empty when nothing is known of it."""
        return self._of_project.get(project, ())

    def admit(self, firing: Iterable[Alert], now: datetime) -> Mapping[str, Group]:
        """The groups that alerts which fire belong to, by key, with them; not yet published."""
        groups: dict[str, Group] = {}
        for alert in firing:
            for assignment in self._tree.assign(alert.labels):
                if assignment.settings.hook in self._hooks:
                    key = assignment.group_key
                    known = groups.get(key) or self._groups.get(key)
                    groups[key] = admit(known, assignment, alert.fingerprint, now)
        return groups

    def suppressions(self, alert: Alert, now: datetime) -> list[tuple[str, Suppression]]:
        """The hooks that are not told of a firing alert now, and why not."""
        told = ((it.settings.hook, it.settings) for it in self._tree.assign(alert.labels))
        judged = ((hook, self.hush.suppression(alert, settings, now)) for hook, settings in told)
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

    def _put_alerts(self, project: str, alerts: tuple[Alert, ...]) -> None:
        for alert in self._of_project.pop(project, ()):
            self._alerts.pop(alert.fingerprint, None)
        self._blind.pop(project, None)
        if alerts:
            self._of_project[project] = alerts
            self._alerts.update((alert.fingerprint, alert) for alert in alerts)
        if blind := blind_projects(alerts):
            self._blind[project] = blind
