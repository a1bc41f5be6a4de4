from dataclasses import replace
from datetime import datetime

import pytest

from auditd.alerting.alert import Alert
from auditd.alerting.flush import flush
from auditd.alerting.grouping import Group, Member, withdraw
from auditd.alerting.hush import Hush
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.mute import TimeInterval, TimeSpan
from auditd.alerting.notification import Notification, NotificationReason, NotifiedStatus
from auditd.alerting.route import RouteSettings
from auditd.alerting.silence import Acknowledgement, Silence
from tests.unit.alerting.examples import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    by_fingerprint,
    firing,
    pending_again,
    resolved,
)

SETTINGS = RouteSettings("ops", repeat_interval=4 * HOUR)
MUTED = replace(SETTINGS, muted=(TimeInterval("always", (TimeSpan(),)),))
ALERT, OTHER = firing(), firing(authorization="gh-side")
ONE, TWO = ALERT.fingerprint, OTHER.fingerprint
SILENCED = Hush(
    (Silence("s", (Matcher("project", Operator.EQUAL, "payments"),), AT, AT + DAY, "ops", "-"),)
)
INHIBITED = Hush(blind_projects=frozenset({"payments"}))
ACKNOWLEDGED = Hush(acknowledgements={ONE: Acknowledgement(ONE, AT, AT, "ops", "on it")})
SUPPRESSIONS = pytest.mark.parametrize(
    ("hush", "settings"),
    [(SILENCED, SETTINGS), (INHIBITED, SETTINGS), (ACKNOWLEDGED, SETTINGS), (Hush(), MUTED)],
    ids=["silenced", "inhibited", "acknowledged", "muted"],
)


def group(**members: Member) -> Group:
    return Group(key="k", route_id="r", hook="ops", labels={}, first_at=AT, members=members)


def told(notification: Notification | None) -> list[tuple[str, str]]:
    """The authorization and status of each alert, in order."""
    alerts = notification.alerts if notification else ()
    return [(alert.labels["authorization"], str(alert.status)) for alert in alerts]


def reason(notification: Notification | None) -> NotificationReason | None:
    return notification.reason if notification else None


def test_a_new_alert_is_told() -> None:
    after, notification = flush(
        group(**{ONE: Member()}), by_fingerprint(ALERT), SETTINGS, Hush(), now=AT + MINUTE
    )
    assert reason(notification) is NotificationReason.NEW
    assert told(notification) == [("gh-main", "firing")]
    assert after.members == {ONE: Member(AT + MINUTE)}
    assert after.last_flush_at == AT + MINUTE


def test_the_same_again_is_not_told_before_the_repeat_interval_has_passed() -> None:
    known = group(**{ONE: Member(AT)})
    now = AT + 4 * HOUR - MINUTE
    after, notification = flush(known, by_fingerprint(ALERT), SETTINGS, Hush(), now=now)
    assert notification is None
    assert after == replace(known, last_flush_at=now)


def test_the_same_is_told_again_when_exactly_the_repeat_interval_has_passed() -> None:
    now = AT + 4 * HOUR
    after, notification = flush(
        group(**{ONE: Member(AT)}), by_fingerprint(ALERT), SETTINGS, Hush(), now=now
    )
    assert reason(notification) is NotificationReason.REPEAT
    assert after.members == {ONE: Member(now)}


def test_a_new_alert_is_told_with_all_that_fires() -> None:
    members = {ONE: Member(AT), TWO: Member()}
    after, notification = flush(
        group(**members), by_fingerprint(ALERT, OTHER), SETTINGS, Hush(), now=AT + HOUR
    )
    assert reason(notification) is NotificationReason.NEW
    assert told(notification) == [("gh-side", "firing"), ("gh-main", "firing")]
    assert after.members == {ONE: Member(AT + HOUR), TWO: Member(AT + HOUR)}


def test_an_end_is_told_once() -> None:
    alerts = by_fingerprint(resolved(ALERT, AT + MINUTE))
    known = group(**{ONE: Member(AT)})
    after, notification = flush(known, alerts, SETTINGS, Hush(), now=AT + HOUR)
    assert reason(notification) is NotificationReason.RESOLVED
    assert told(notification) == [("gh-main", "resolved")]
    assert after.members == {}
    assert flush(after, alerts, SETTINGS, Hush(), now=AT + DAY)[1] is None


def test_an_end_is_told_with_all_that_fires() -> None:
    alerts = by_fingerprint(resolved(ALERT, AT + MINUTE), OTHER)
    members = {ONE: Member(AT), TWO: Member(AT)}
    _, notification = flush(group(**members), alerts, SETTINGS, Hush(), now=AT + HOUR)
    assert reason(notification) is NotificationReason.RESOLVED
    assert told(notification) == [("gh-main", "resolved"), ("gh-side", "firing")]


def test_of_what_came_and_went_between_two_flushes_nothing_is_said() -> None:
    alerts = by_fingerprint(resolved(ALERT, AT + MINUTE))
    after, notification = flush(group(**{ONE: Member()}), alerts, SETTINGS, Hush(), now=AT + HOUR)
    assert (after.members, notification) == ({}, None)


def test_an_alert_that_is_back_before_its_end_was_told_is_the_same() -> None:
    alerts = by_fingerprint(firing(at=AT + 10 * MINUTE))
    _, notification = flush(group(**{ONE: Member(AT)}), alerts, SETTINGS, Hush(), now=AT + HOUR)
    assert notification is None


@pytest.mark.parametrize("told_at", [AT, None])
def test_a_pending_alert_does_not_fire(told_at: datetime | None) -> None:
    alert = pending_again(resolved(ALERT, AT + MINUTE), AT + 2 * MINUTE)
    after, notification = flush(
        group(**{ONE: Member(told_at)}), by_fingerprint(alert), SETTINGS, Hush(), now=AT + HOUR
    )
    assert told(notification) == ([("gh-main", "resolved")] if told_at else [])
    assert after.members == {}


def test_an_alert_that_is_not_there_any_more_leaves_without_a_word() -> None:
    after, notification = flush(group(**{ONE: Member(AT)}), {}, SETTINGS, Hush(), now=AT + HOUR)
    assert (after.members, notification) == ({}, None)


@SUPPRESSIONS
def test_what_is_suppressed_is_not_told(hush: Hush, settings: RouteSettings) -> None:
    waiting = group(**{ONE: Member()})
    after, notification = flush(waiting, by_fingerprint(ALERT), settings, hush, now=AT + HOUR)
    assert notification is None
    assert after.members == waiting.members


@SUPPRESSIONS
def test_what_is_suppressed_is_not_repeated(hush: Hush, settings: RouteSettings) -> None:
    known = group(**{ONE: Member(AT)})
    _, notification = flush(known, by_fingerprint(ALERT), settings, hush, now=AT + 5 * HOUR)
    assert notification is None


@SUPPRESSIONS
def test_an_end_is_told_in_any_case(hush: Hush, settings: RouteSettings) -> None:
    alerts: dict[str, Alert] = dict(by_fingerprint(resolved(ALERT, AT + MINUTE)))
    _, notification = flush(group(**{ONE: Member(AT)}), alerts, settings, hush, now=AT + HOUR)
    assert told(notification) == [("gh-main", "resolved")]


def test_what_is_suppressed_does_not_appear_with_others() -> None:
    members = {ONE: Member(AT), TWO: Member()}
    after, notification = flush(
        group(**members), by_fingerprint(ALERT, OTHER), SETTINGS, ACKNOWLEDGED, now=AT + HOUR
    )
    assert told(notification) == [("gh-side", "firing")]
    assert after.members == {ONE: Member(AT), TWO: Member(AT + HOUR)}


def test_what_was_suppressed_is_told_when_that_is_over() -> None:
    waiting, _ = flush(
        group(**{ONE: Member()}), by_fingerprint(ALERT), SETTINGS, SILENCED, now=AT + HOUR
    )
    _, notification = flush(waiting, by_fingerprint(ALERT), SETTINGS, SILENCED, now=AT + DAY)
    assert reason(notification) is NotificationReason.NEW


def test_what_was_told_before_a_silence_is_repeated_after_it_and_not_new() -> None:
    known = group(**{ONE: Member(AT)})
    _, notification = flush(known, by_fingerprint(ALERT), SETTINGS, SILENCED, now=AT + DAY)
    assert reason(notification) is NotificationReason.REPEAT


def test_of_an_alert_that_goes_elsewhere_only_the_end_is_told() -> None:
    left = withdraw(group(**{ONE: Member(AT)}), [ONE])
    after, notification = flush(left, by_fingerprint(ALERT), SETTINGS, Hush(), now=AT + DAY)
    assert (notification, after.members) == (None, left.members)
    alerts = by_fingerprint(resolved(ALERT, AT + DAY))
    after, notification = flush(after, alerts, SETTINGS, Hush(), now=AT + 2 * DAY)
    assert told(notification) == [("gh-main", "resolved")]
    assert after.members == {}


def test_a_clock_that_was_set_back_repeats_nothing_early_and_nothing_years_late() -> None:
    known = group(**{ONE: Member(AT + DAY)})
    after, notification = flush(known, by_fingerprint(ALERT), SETTINGS, Hush(), now=AT)
    assert (notification, after.members) == (None, {ONE: Member(AT)})
    _, notification = flush(after, by_fingerprint(ALERT), SETTINGS, Hush(), now=AT + 4 * HOUR)
    assert reason(notification) is NotificationReason.REPEAT


def test_a_group_without_members_is_owed_nothing() -> None:
    eager = replace(SETTINGS, repeat_interval=0 * HOUR)
    assert flush(group(), {}, eager, Hush(), now=AT + HOUR)[1] is None


def test_what_is_cut_off_counts_as_told() -> None:
    members = {ONE: Member(), TWO: Member()}
    after, notification = flush(
        group(**members), by_fingerprint(ALERT, OTHER), SETTINGS, Hush(), now=AT, limit=1
    )
    assert notification is not None
    assert (len(notification.alerts), notification.truncated) == (1, 1)
    assert notification.status is NotifiedStatus.FIRING
    assert after.members == {ONE: Member(AT), TWO: Member(AT)}
