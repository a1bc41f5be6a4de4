"""How alerts live: one step for each poll.

                 finding seen             stood for `for_`
      (nothing) --------------> PENDING -------------------> FIRING
          ^                        |                            |
          +---- finding gone ------+          gone, and that for `keep_firing_for`
          |                                                     v
          +------------- after the retention -------------- RESOLVED

Without `for_` a finding fires when it is first seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from auditd.alerting.alert import Alert, AlertState, EndReason
from auditd.alerting.annotations import describe_flapping
from auditd.alerting.evidence import Evidence, Key, Sighting, gather
from auditd.alerting.rules import Rules
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot


@quick
@dataclass(frozen=True, slots=True)
class Transition:
    """An alert began to fire, or ended after it had fired; its state tells which."""

    alert: Alert
    """As it is now."""
    at: datetime
    is_flap_start: bool = False
    """With this firing it was found to be flapping. From here on it comes and goes without
    transitions: it fires until it has stayed away for the flap window."""


def advance(
    alerts: Iterable[Alert],
    snapshot: ProjectSnapshot,
    rules: Rules,
    now: datetime,
    *,
    standing: Collection[Key] = (),
) -> tuple[tuple[Alert, ...], tuple[Transition, ...]]:
    """What the alerts of one project become by its last poll.

    Idempotent, and free of the order of alerts and findings. A poll that failed is evidence of
    blindness only: all else stays as it is, but for what the configuration orders (a check was
    disabled, a finding accepted). A clock that was set back delays things; it neither resolves
    an alert nor forgets one.

    Args:
        alerts: of the project, as they are known.
        snapshot: after the poll.
        rules: the terms.
        now: when.
        standing: the keys of findings of which it is known that this poll changes nothing, nor
            time: their alerts were made of the same, and it is not yet their `next_turn`.

    Returns:
        All alerts that are to be kept, by fingerprint; then what ended and what fired, in this
        order, each by fingerprint.
    """
    known = {alert.fingerprint: alert for alert in alerts}
    open_alerts = {alert.key: alert for alert in known.values() if alert.is_open}
    again = {key: open_alerts[key] for key in standing if key in open_alerts}
    evidence = gather(snapshot, rules, now, besides=again)
    sighted = {sighting.fingerprint for sighting in evidence.sightings.values()}
    after: dict[str, Alert | None] = {
        alert.fingerprint: alert.seen_again(now) for alert in again.values()
    }
    for fingerprint in known.keys() - sighted - after.keys():
        alert = known[fingerprint]
        after[fingerprint] = _unseen(alert, evidence, now) if alert.is_open else alert
    for key, sighting in evidence.sightings.items():
        former, origin = known.get(sighting.fingerprint), open_alerts.get(key)
        after[sighting.fingerprint] = _seen(sighting, former, origin, rules=rules, now=now)
    kept = tuple(alert for _, alert in sorted(after.items()) if alert)
    return forget(kept, rules.retention, now), _transitions(known, kept, now)


def depart(
    alerts: Iterable[Alert], now: datetime
) -> tuple[tuple[Alert, ...], tuple[Transition, ...]]:
    """What the alerts of a project become when it leaves the fleet: none stays open."""
    known = {alert.fingerprint: alert for alert in alerts}
    after = (
        _ended(alert, EndReason.PROJECT_REMOVED, now) if alert.is_open else alert
        for _, alert in sorted(known.items())
    )
    kept = tuple(alert for alert in after if alert)
    return kept, _transitions(known, kept, now)


def forget(alerts: Iterable[Alert], retention: timedelta, now: datetime) -> tuple[Alert, ...]:
    """Those that are open or were resolved less than `retention` ago."""
    return tuple(
        alert
        for alert in alerts
        if alert.is_open or alert.resolved_at is None or now - alert.resolved_at < retention
    )


def _seen(
    sighting: Sighting, former: Alert | None, origin: Alert | None, *, rules: Rules, now: datetime
) -> Alert:
    """The alert of a finding that stands.

    `former` is the alert as it was. `origin` is the alert that was open for the finding: the
    same, or one with other labels, whose time counts and which ends as this one begins.
    """
    active_at = min(origin.active_at, now) if origin else now
    was_firing = origin is not None and origin.state is AlertState.FIRING
    alert = Alert(
        fingerprint=sighting.fingerprint,
        labels=sighting.labels,
        annotations=sighting.annotations,
        state=AlertState.PENDING,
        since=sighting.finding.since or active_at,
        active_at=active_at,
        last_seen_at=now,
        fired_at=former.fired_at if former else None,
        resolved_at=former.resolved_at if former else None,
        end_reason=former.end_reason if former else None,
        recent_firings=former.recent_firings if former else (),
        is_flapping=former is not None and former.is_flapping,
    )
    if was_firing or now - active_at >= sighting.rule.for_:
        return _fired(alert, former, rules, now)
    return alert


def _fired(alert: Alert, former: Alert | None, rules: Rules, now: datetime) -> Alert:
    """The alert firing, with its firings counted: of a flapping one also each reappearance."""
    is_new = former is None or former.state is not AlertState.FIRING
    is_back = former is not None and former.is_flapping and former.missing_since is not None
    recent = [min(at, now) for at in alert.recent_firings if now - at < rules.flap_window]
    if is_new or is_back:
        recent.append(now)
    is_flapping = len(recent) > rules.flap_limit or (alert.is_flapping and bool(recent))
    annotations = alert.annotations
    if is_flapping:
        annotations = {**annotations, "flapping": describe_flapping(rules)}
    return replace(
        alert,
        annotations=annotations,
        state=AlertState.FIRING,
        fired_at=now if is_new else alert.fired_at,
        resolved_at=None,
        end_reason=None,
        recent_firings=tuple(recent[-rules.flap_limit - 1 :]),
        is_flapping=is_flapping,
    )


def _unseen(alert: Alert, evidence: Evidence, now: datetime) -> Alert | None:
    """An open alert without its finding, or whose finding goes on as another alert."""
    reason = evidence.end_of(alert)
    if reason is EndReason.CLEARED and alert.state is AlertState.FIRING:
        missing_since = min(alert.missing_since or now, now)
        if now - missing_since < kept_firing_for(alert, evidence.rules):
            return replace(alert, missing_since=missing_since)
    return _ended(alert, reason, now) if reason else alert


def kept_firing_for(alert: Alert, rules: Rules) -> timedelta:
    """How long an alert fires on after its finding has gone; its check is enabled."""
    check, _ = alert.key
    kept = rules.rule_of(check).keep_firing_for
    return max(kept, rules.flap_window) if alert.is_flapping else kept


def _ended(alert: Alert, reason: EndReason, now: datetime) -> Alert | None:
    """The alert after its episode: None if it never fired."""
    if alert.state is AlertState.PENDING or alert.fired_at is None:
        return alert.ended_episode
    return replace(
        alert,
        state=AlertState.RESOLVED,
        resolved_at=max(now, alert.fired_at),
        end_reason=reason,
        missing_since=None,
        is_flapping=False,
    )


def _transitions(
    known: Mapping[str, Alert], after: Iterable[Alert], now: datetime
) -> tuple[Transition, ...]:
    ended, fired = [], []
    for alert in after:
        before = known.get(alert.fingerprint)
        was_firing = before is not None and before.state is AlertState.FIRING
        was_flapping = before is not None and before.is_flapping
        if was_firing and alert.state is not AlertState.FIRING:
            ended.append(Transition(alert, now))
        elif alert.state is AlertState.FIRING and not was_firing:
            is_flap_start = alert.is_flapping and not was_flapping
            fired.append(Transition(alert, now, is_flap_start))
    return (*ended, *fired)
