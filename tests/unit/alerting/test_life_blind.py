import re
from dataclasses import replace

import pytest

from auditd.alerting.alert import AlertState, EndReason
from auditd.alerting.exception import AcceptedFinding
from auditd.alerting.life import advance
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.match import MatchField
from auditd.audit.snapshot import ProjectSnapshot
from tests.unit.alerting.examples import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    PROJECT,
    RULES,
    failed,
    listed,
    overdue,
    stale,
    told,
)

SEEN = listed(overdue())
ACCEPTED = AcceptedFinding(
    match={MatchField.AUTHORIZATION: re.compile("gh-.*")},
    check=re.compile("overdue"),
    owner="ops@acme.example",
    reason="migration PLAT-42",
    until=AT + HOUR,
)
ACCEPTING = replace(RULES, accepted=(ACCEPTED,))


@pytest.mark.parametrize("is_blind", [True, False])
def test_a_failed_poll_changes_no_alert_of_an_authorization(*, is_blind: bool) -> None:
    patient = replace(RULES, checks={**RULES.checks, "stale": CheckRule("Old.", for_=MINUTE)})
    before, _ = advance((), listed(overdue(), stale()), patient, AT)
    after, _ = advance(before, failed(SEEN, is_blind=is_blind), patient, AT + DAY)
    assert [alert for alert in after if alert.labels["check"] != "blind"] == list(before)


def test_a_failed_poll_does_not_fire_what_an_earlier_one_saw() -> None:
    assert advance((), failed(SEEN), RULES, AT) == ((), ())


def test_a_failed_poll_does_not_count_as_absence_of_what_is_kept_firing() -> None:
    tenacious = replace(
        RULES, checks={"overdue": CheckRule("Expired.", keep_firing_for=10 * MINUTE)}
    )
    alerts, _ = advance((), SEEN, tenacious, AT)
    alerts, _ = advance(alerts, failed(SEEN), tenacious, AT + DAY)
    (alert,), _ = advance(alerts, listed(), tenacious, AT + DAY + MINUTE)
    assert alert.state is AlertState.FIRING


def test_blindness_fires() -> None:
    (alert,), transitions = advance((), failed(SEEN, is_blind=True), RULES, AT)
    assert told(transitions) == [("blind", "firing", "")]
    assert alert.labels["alertname"] == "ProjectBlind"
    assert alert.annotations["summary"].startswith("project payments cannot be polled (timeout)")
    assert alert.annotations["description"]


def test_only_a_list_ends_blindness() -> None:
    alerts, _ = advance((), failed(SEEN, is_blind=True), RULES, AT)
    # After a restart the count of failures begins anew; that is not sight.
    assert advance(alerts, failed(SEEN), RULES, AT + MINUTE) == (alerts, ())
    _, transitions = advance(alerts, listed(), RULES, AT + HOUR)
    assert told(transitions) == [("blind", "resolved", "cleared")]


def test_blindness_whose_labels_change_goes_on_as_one_alert() -> None:
    blind = failed(SEEN, is_blind=True)
    alerts, _ = advance((), blind, RULES, AT)
    relabelled = replace(RULES, labels={"site": "west"})
    after, transitions = advance(alerts, blind, relabelled, AT + HOUR)
    assert [alert.end_reason for alert in after if not alert.is_open] == [EndReason.LABELS_CHANGED]
    assert told(transitions) == [("blind", "resolved", "labels_changed"), ("blind", "firing", "")]


def test_blindness_needs_no_rule() -> None:
    alerts, _ = advance((), failed(SEEN, is_blind=True), Rules(checks={}), AT)
    assert [alert.state for alert in alerts] == [AlertState.FIRING]


def test_a_project_that_was_never_polled_says_nothing() -> None:
    alerts, _ = advance((), SEEN, RULES, AT)
    assert advance(alerts, ProjectSnapshot(PROJECT), RULES, AT + HOUR) == (alerts, ())


def test_an_accepted_finding_is_no_alert() -> None:
    assert advance((), SEEN, ACCEPTING, AT) == ((), ())


@pytest.mark.parametrize("seen", [SEEN, failed(SEEN)])
def test_accepting_a_finding_ends_its_alert_whatever_the_poll_brought(
    seen: ProjectSnapshot,
) -> None:
    alerts, _ = advance((), SEEN, RULES, AT)
    _, transitions = advance(alerts, seen, ACCEPTING, AT + MINUTE)
    assert told(transitions) == [("overdue", "resolved", "accepted")]


def test_a_finding_fires_when_its_exception_ends_and_names_it() -> None:
    assert advance((), SEEN, ACCEPTING, AT + HOUR - MINUTE) == ((), ())
    (alert,), transitions = advance((), SEEN, ACCEPTING, AT + HOUR)
    assert told(transitions) == [("overdue", "firing", "")]
    assert alert.annotations["exception"].startswith("accepted by ops@acme.example until 2026-06")


def test_an_exception_ends_only_what_it_is_about() -> None:
    alerts, _ = advance((), listed(overdue(), stale()), RULES, AT)
    after, _ = advance(alerts, listed(overdue(), stale()), ACCEPTING, AT + MINUTE)
    assert [alert.labels["check"] for alert in after if alert.is_open] == ["stale"]
