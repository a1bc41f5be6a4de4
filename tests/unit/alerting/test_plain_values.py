"""What is stored and sent is made of plain values."""

from typing import Any

import msgspec
import pytest

from auditd.alerting.flush import flush
from auditd.alerting.grouping import Group, admit
from auditd.alerting.hush import Hush
from auditd.alerting.life import advance
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.retry import Dead, DeathReason
from auditd.alerting.route import Route, build_tree
from auditd.alerting.silence import Acknowledgement, Silence
from tests.unit.alerting.examples import (
    AT,
    HOUR,
    RULES,
    by_fingerprint,
    firing,
    listed,
    overdue,
    stale,
)

TREE = build_tree(Route(hook="ops", group_by=("alertname",)))


def flushed() -> list[Any]:
    """Alerts in both states, a transition, a group and a notification."""
    alerts, transitions = advance((), listed(overdue(), stale()), RULES, AT)
    after, _ = advance(alerts, listed(overdue()), RULES, AT + HOUR)
    (assignment,) = TREE.assign(firing().labels)
    groups: list[Group] = [admit(None, assignment, after[0].fingerprint, AT)]
    group, notification = flush(
        groups[0], by_fingerprint(*after), assignment.settings, Hush(), now=AT
    )
    return [*after, *transitions, group, *groups, notification]


@pytest.mark.parametrize(
    "value",
    [
        *flushed(),
        Silence("s", (Matcher("team", Operator.FITS, "pay.*"),), AT, AT + HOUR, "ops", "-"),
        Acknowledgement("f", AT, AT, "ops", "on it"),
        Dead(DeathReason.GONE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_comes_back_from_json_as_it_was(value: object) -> None:
    assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value
