from dataclasses import replace
from itertools import permutations

import pytest

from auditd.alerting.alert import Alert, EndReason
from auditd.alerting.grouping import Group
from auditd.alerting.notification import (
    Notification,
    NotificationReason,
    NotifiedAlert,
    NotifiedStatus,
    compose,
)
from tests.unit.alerting.examples import AT, HOUR, firing, resolved

GROUP = Group(key="k", route_id="r", hook="ops", labels={"project": "payments"}, first_at=AT)
WARNING = firing("A", severity="warning", authorization="a")
CRITICAL = firing("B", authorization="b")
INFO = firing("C", severity="info", authorization="c")
ENDED = replace(resolved(firing("D", authorization="d"), AT + HOUR), end_reason=EndReason.CLEARED)


def notify(*ranks: list[Alert], limit: int | None = None) -> Notification:
    return compose(GROUP, NotificationReason.NEW, ranks, now=AT + HOUR, limit=limit)


def names(notification: Notification) -> list[str]:
    return [alert.labels["alertname"] for alert in notification.alerts]


def test_a_firing_alert_is_told_with_its_age() -> None:
    (alert,) = notify([CRITICAL]).alerts
    assert alert == NotifiedAlert(
        fingerprint=CRITICAL.fingerprint,
        status=NotifiedStatus.FIRING,
        labels=CRITICAL.labels,
        annotations={"summary": "B of b", "since": "2026-06-01T12:00:00Z", "age": "1h"},
        starts_at=AT,
        ends_at=None,
        end_reason=None,
    )


def test_an_ended_alert_is_told_with_its_end() -> None:
    (alert,) = notify([ENDED]).alerts
    assert alert.status is NotifiedStatus.RESOLVED
    assert (alert.starts_at, alert.ends_at) == (AT, AT + HOUR)
    assert alert.end_reason is EndReason.CLEARED


def test_the_group_and_the_reason_are_told() -> None:
    notification = notify([CRITICAL])
    assert (notification.hook, notification.group_key) == ("ops", "k")
    assert notification.group_labels == {"project": "payments"}
    assert notification.reason is NotificationReason.NEW
    assert notification.at == AT + HOUR


@pytest.mark.parametrize("order", [*permutations([WARNING, CRITICAL, INFO])])
def test_the_more_severe_is_told_first(order: tuple[Alert, ...]) -> None:
    assert names(notify([*order])) == ["B", "A", "C"]


def test_the_news_is_told_first() -> None:
    assert names(notify([INFO], [ENDED], [CRITICAL, WARNING])) == ["C", "D", "B", "A"]


def test_equally_severe_alerts_are_told_by_their_labels() -> None:
    twins = [firing(authorization=name) for name in "zax"]
    alerts = notify(twins).alerts
    assert [alert.labels["authorization"] for alert in alerts] == ["a", "x", "z"]


def test_it_fires_while_one_alert_does() -> None:
    assert notify([ENDED], [INFO]).status is NotifiedStatus.FIRING
    assert notify([ENDED]).status is NotifiedStatus.RESOLVED


def test_what_all_alerts_share_is_told_once() -> None:
    notification = notify([CRITICAL, firing("B", authorization="e")])
    assert notification.common_labels == {
        "alertname": "B",
        "check": "overdue",
        "project": "payments",
        "severity": "critical",
    }
    assert notification.common_annotations == {"since": "2026-06-01T12:00:00Z", "age": "1h"}


def test_one_alert_shares_all_with_itself() -> None:
    assert notify([CRITICAL]).common_labels == CRITICAL.labels


def test_what_exceeds_the_limit_is_cut_off_and_counted() -> None:
    notification = notify([INFO], [ENDED], [CRITICAL], limit=2)
    assert names(notification) == ["C", "D"]
    assert notification.truncated == 1


def test_exactly_the_limit_is_not_cut() -> None:
    assert notify([INFO], [ENDED], limit=2).truncated == 0


def test_what_is_cut_off_counts_for_what_is_shared() -> None:
    assert "alertname" not in notify([INFO], [CRITICAL], limit=1).common_labels
