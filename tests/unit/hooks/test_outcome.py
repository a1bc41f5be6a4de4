from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.alerting.events import SendFailure
from auditd.hooks.outcome import abandoned, delivered, failed
from auditd.hooks.port import RefusedError, RetryLaterError, SwitchedOffError
from tests.unit.hooks.fakes import START, delivery_of

MINUTE = timedelta(minutes=1)
CLAIMED = replace(delivery_of(1), attempts=1)


def test_every_attempt_is_noted_when_it_is_over_with_what_was_said() -> None:
    busy = RetryLaterError(SendFailure.SERVER, "hook 'ops': the receiver answered 503")
    first = failed(CLAIMED, busy, random_fraction=0.5, now=START + MINUTE).delivery
    second = delivered(first, duration_seconds=1.0, now=START + 2 * MINUTE).delivery
    assert second.tried == (
        Attempt(START + MINUTE, AttemptOutcome.FAILED, str(busy)),
        Attempt(START + 2 * MINUTE, AttemptOutcome.DELIVERED),
    )


def test_the_attempt_that_was_the_last_is_noted_too() -> None:
    for error, age in (
        (SwitchedOffError("gone"), MINUTE),
        (RefusedError(SendFailure.REFUSED, "no"), timedelta(hours=1)),
    ):
        dead = failed(CLAIMED, error, random_fraction=0.5, now=START + age).delivery
        assert dead.state is DeliveryState.DEAD
        assert dead.tried == (Attempt(START + age, AttemptOutcome.FAILED, str(error)),)


def test_what_is_given_up_with_its_hook_was_not_attempted() -> None:
    dead = abandoned(CLAIMED, now=START).delivery
    assert (dead.state, dead.tried) == (DeliveryState.DEAD, ())
