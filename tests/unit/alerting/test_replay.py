"""What only other terms than those in force show; else see tests/unit/daemon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from auditd.alerting.life import Transition
from auditd.alerting.replay import LATENESS, Terms, replay
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.authorization import Authorization, Listing, Status
from auditd.audit.checks import drift, overdue, stale
from auditd.audit.failure import FailureReason
from auditd.audit.project import Project
from auditd.audit.replay import RecordedPoll
from auditd.audit.run import Policy
from tests.unit.alerting.examples import AT, HOUR, MINUTE, PROJECT, authorization

STEP = PROJECT.poll_interval
FINE = replace(authorization("gh-main"), status=Status.NORMAL, updated_at=AT)
BAD = replace(FINE, status=Status.OVERDUE)
CHECKS = (
    drift.build(drift.Options()),
    overdue.build(overdue.Options()),
    stale.PLUGIN.build(stale.Options(max_age=90 * MINUTE)),
)


def next_slot(_: Project, polled_at: datetime, due: datetime) -> datetime:
    """Each five minutes from AT."""
    return AT + max((polled_at - AT) // STEP + 1, -((AT - due) // STEP)) * STEP


def terms(rule: CheckRule = CheckRule("."), blind_after: int = 3) -> Terms:  # noqa: B008 -- immutable
    rules = Rules(checks={check.name: rule for check in CHECKS})
    return Terms(Policy(CHECKS, blind_after), rules, next_slot)


def seen(at: datetime, *listed: Authorization) -> RecordedPoll:
    return RecordedPoll(at, Listing(listed))


def told(transitions: Iterable[Transition]) -> list[tuple[str, str, int]]:
    """Which check, what became of its alert, and minutes after AT."""
    return [(it.alert.key[0], it.alert.state, (it.at - AT) // MINUTE) for it in transitions]


def test_what_time_alone_does_is_found_at_the_next_slot() -> None:
    polls = [seen(AT + timedelta(seconds=3), FINE)]
    assert told(replay(PROJECT, polls, terms(), AT + 6 * HOUR)) == [("stale", "firing", 95)]


def test_a_slot_just_before_a_recorded_poll_is_that_poll() -> None:
    late = AT + 95 * MINUTE + PROJECT.poll_timeout
    polls = [seen(AT, FINE), seen(late, FINE, replace(FINE, name="other"))]
    [fired, _] = replay(PROJECT, polls, terms(), AT + 2 * HOUR)
    assert fired.at == late
    polls[1] = replace(polls[1], at=late + LATENESS + timedelta(seconds=1))
    [fired, _] = replay(PROJECT, polls, terms(), AT + 2 * HOUR)
    assert fired.at == AT + 95 * MINUTE


def test_a_drift_that_nobody_looked_for_ends_with_the_next_slot() -> None:
    polls = [seen(AT, FINE), seen(AT + STEP, replace(FINE, repo_user="mallory"))]
    assert told(replay(PROJECT, polls, terms(), AT + HOUR)) == [
        ("drift", "firing", 5),
        ("drift", "resolved", 10),
    ]


def test_blindness_comes_after_as_many_slots_as_the_terms_say() -> None:
    failing = RecordedPoll(AT + STEP, Listing((FINE,)), failure=FailureReason.DNS)
    polls = [seen(AT, FINE), failing, seen(AT + HOUR, FINE)]
    for blind_after, minutes in ((1, 5), (2, 10), (12, 60)):
        found = told(replay(PROJECT, polls, terms(blind_after=blind_after), AT + HOUR))
        fired = [("blind", "firing", minutes)] if minutes < 60 else []
        assert found == [*fired, *([("blind", "resolved", 60)] if fired else [])]


def test_while_polls_fail_nothing_else_comes_of_time() -> None:
    failing = RecordedPoll(AT + STEP, Listing((FINE,)), failure=FailureReason.DNS)
    polls = [seen(AT, FINE), failing, seen(AT + 3 * HOUR, FINE)]
    found = told(replay(PROJECT, polls, terms(blind_after=99), AT + 4 * HOUR))
    assert found == [("stale", "firing", 180)]


def test_flapping_ends_with_the_slot_at_which_the_last_firing_is_old() -> None:
    flaps = [seen(AT + n * STEP, BAD if n % 2 else FINE) for n in range(12)]
    calm = seen(AT + 4 * HOUR, FINE)
    found = told(replay(PROJECT, [*flaps, calm], terms(), AT + 6 * HOUR))
    ends = [turn for turn in found if turn[:2] == ("overdue", "resolved")]
    assert ends[-1] == ("overdue", "resolved", 240)  # at once: it does not flap any more


def test_a_project_that_left_is_not_looked_at_until_it_is_back() -> None:
    polls = [
        seen(AT, BAD),
        RecordedPoll(AT + STEP, Listing((BAD,)), failure=FailureReason.DNS),
        RecordedPoll(AT + 2 * STEP, is_departure=True),
        seen(AT + 5 * HOUR, BAD),
    ]
    assert sorted(told(replay(PROJECT, polls, terms(), AT + 6 * HOUR))) == [
        ("overdue", "firing", 0),
        ("overdue", "firing", 300),
        ("overdue", "resolved", 10),
        ("stale", "firing", 300),
    ]


def test_a_clock_that_was_set_back_does_not_set_back_the_replay() -> None:
    polls = [seen(AT, FINE), seen(AT - HOUR, BAD), seen(AT + STEP, FINE)]
    assert told(replay(PROJECT, polls, terms(), AT + 10 * MINUTE)) == [
        ("overdue", "firing", 0),
        ("overdue", "resolved", 5),
    ]


def test_nothing_is_told_beyond_the_end() -> None:
    polls = [seen(AT, FINE), seen(AT + 2 * HOUR, BAD)]
    assert told(replay(PROJECT, polls, terms(), AT + 95 * MINUTE)) == []
