"""When time alone changes alerts next, so that until then a poll without news costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.life import kept_firing_for
from auditd.alerting.rules import Rules

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def next_turn(alerts: Iterable[Alert], rules: Rules, now: datetime) -> datetime:
    """Before it `advance` with the same findings and rules changes nothing but `last_seen_at`.

    `alerts` are those that `advance` made at `now`. The clock must not go back behind `now`.
    """
    turns = [acceptance.until for acceptance in rules.accepted]
    for alert in alerts:
        turns += _turns(alert, rules)
    return min((turn for turn in turns if turn >= now), default=_END_OF_TIME)


def _turns(alert: Alert, rules: Rules) -> Iterator[datetime]:
    check, _ = alert.key
    if not alert.is_open:
        if alert.resolved_at:
            yield alert.resolved_at + rules.retention
    elif not rules.is_enabled(check):
        return
    elif alert.state is AlertState.PENDING:
        yield alert.active_at + rules.rule_of(check).for_
    elif alert.missing_since:
        yield alert.missing_since + kept_firing_for(alert, rules)
    yield from (fired_at + rules.flap_window for fired_at in alert.recent_firings)
