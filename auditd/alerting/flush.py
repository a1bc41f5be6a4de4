"""What a group's hook is owed, and what it knows once it was told.

Alertmanager's rules, with one difference: what was told as firing is told as ended, whatever
comes between the two: a silence, a mute time, a restart, other routes after a reload.

Source: https://github.com/prometheus/alertmanager, DedupStage in notify/notify.go
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.grouping import Group, Member
from auditd.alerting.hush import Hush
from auditd.alerting.notification import Notification, NotificationReason, compose
from auditd.alerting.route import RouteSettings


@dataclass(frozen=True, slots=True)
class _Account:
    """What the hook may hear of now: what is suppressed is not in it."""

    news: tuple[Alert, ...]
    """Firing, and the hook does not know."""
    ended: tuple[Alert, ...]
    """The hook knows that they fired."""
    known: tuple[Alert, ...]
    """Firing, and the hook knows."""
    is_repeat_due: bool

    @property
    def reason(self) -> NotificationReason | None:
        if self.news:
            return NotificationReason.NEW
        if self.ended:
            return NotificationReason.RESOLVED
        return NotificationReason.REPEAT if self.is_repeat_due else None


def flush(
    group: Group,
    alerts: Mapping[str, Alert],
    settings: RouteSettings,
    hush: Hush,
    *,
    now: datetime,
    limit: int | None = None,
) -> tuple[Group, Notification | None]:
    """What the hook is to be told now, if anything, and the group after it was told.

    It is told when an alert fires that it does not know of, when one that it knows of has
    ended, and when it last heard of one `repeat_interval` ago or longer; then of all that fires.
    What is suppressed neither causes that nor appears, but an end is told in any case. Of an
    alert that fired and ended between two flushes nothing is said.

    Args:
        group: as its last flush left it, with what was admitted since.
        alerts: at least the members, by fingerprint, as they are. A member that is not there
            leaves without a word: resolved alerts must be kept until the next flush.
        settings: of the group's route.
        hush: all that can suppress an alert.
        now: when the telling counts as done.
        limit: the most alerts that the hook takes at once, at least 1; None is no limit. What is
            cut off counts as told.
    """
    account = _account(group, alerts, settings, hush, now)
    told = {alert.fingerprint for alert in (*account.news, *account.known)}
    members = {
        fingerprint: _after(member, now, is_told=bool(account.reason) and fingerprint in told)
        for fingerprint, member in group.members.items()
        if fingerprint in alerts and alerts[fingerprint].state is AlertState.FIRING
    }
    flushed = replace(group, last_flush_at=now, members=members)
    if account.reason is None:
        return flushed, None
    return flushed, compose(
        group,
        account.reason,
        (account.news, account.ended, account.known),
        now=now,
        limit=limit,
    )


def _account(
    group: Group, alerts: Mapping[str, Alert], settings: RouteSettings, hush: Hush, now: datetime
) -> _Account:
    news: list[Alert] = []
    ended: list[Alert] = []
    known: list[Alert] = []
    for fingerprint, member in group.members.items():
        alert = alerts.get(fingerprint)
        if alert is None:
            continue
        if alert.state is not AlertState.FIRING:
            if member.told_at and (episode := alert.ended_episode):
                ended.append(episode)
        elif member.is_routed and hush.suppression(alert, settings, now) is None:
            (known if member.told_at else news).append(alert)
    is_repeat_due = any(
        told_at and now - told_at >= settings.repeat_interval
        for told_at in (group.members[alert.fingerprint].told_at for alert in known)
    )
    return _Account(tuple(news), tuple(ended), tuple(known), is_repeat_due)


def _after(member: Member, now: datetime, *, is_told: bool) -> Member:
    """An instant in the future, from before the clock was set back, counts as now."""
    if is_told:
        return replace(member, told_at=now)
    return replace(member, told_at=min(member.told_at, now) if member.told_at else None)
