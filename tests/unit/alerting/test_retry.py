from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.retry import (
    Dead,
    DeathReason,
    Failure,
    FailureKind,
    RetryAt,
    next_attempt,
)
from tests.unit.alerting.examples import AT, DAY, HOUR, MINUTE, SECOND

DOWN = Failure(FailureKind.TRANSIENT)
REFUSED = Failure(FailureKind.REFUSED)
NOW = timedelta(0)

fractions = st.floats(0, 1, exclude_max=True)
retry_afters = st.none() | st.timedeltas(timedelta(0), 2 * DAY)
ages = st.timedeltas(-DAY, 100 * HOUR)


def delay(
    attempts: int, failure: Failure = DOWN, *, age: timedelta = NOW, fraction: float = 0.5
) -> timedelta:
    """How long it is to the next attempt, which there is."""
    step = next_attempt(attempts, age, failure, random_fraction=fraction, now=AT)
    assert isinstance(step, RetryAt)
    return step.at - AT


@pytest.mark.parametrize(
    ("attempts", "ceiling"), [(1, SECOND), (2, 2 * SECOND), (3, 4 * SECOND), (12, 2048 * SECOND)]
)
def test_the_ceiling_doubles(attempts: int, ceiling: timedelta) -> None:
    assert delay(attempts, fraction=0) == timedelta(0)
    assert delay(attempts, fraction=0.5) == ceiling / 2


def test_from_the_thirteenth_attempt_on_hours_pass() -> None:
    assert delay(13, fraction=0) == 3 * HOUR
    assert delay(13, fraction=0.5) == 3 * HOUR + 30 * MINUTE
    assert delay(1_000_000, fraction=0.5) == 3 * HOUR + 30 * MINUTE


def test_what_the_receiver_asks_for_is_honoured() -> None:
    patient = Failure(FailureKind.TRANSIENT, retry_after=10 * MINUTE)
    assert delay(1, patient) == 10 * MINUTE
    assert delay(13, patient) == 3 * HOUR + 30 * MINUTE


def test_more_than_an_hour_that_is_asked_for_is_an_hour() -> None:
    assert delay(1, Failure(FailureKind.TRANSIENT, retry_after=DAY)) == HOUR


def test_a_receiver_that_is_gone_is_not_tried_again() -> None:
    step = next_attempt(1, NOW, Failure(FailureKind.GONE), random_fraction=0, now=AT)
    assert step == Dead(DeathReason.GONE)


@pytest.mark.parametrize(
    ("failure", "patience", "reason"),
    [(DOWN, 72 * HOUR, DeathReason.EXPIRED), (REFUSED, HOUR, DeathReason.REFUSED)],
)
def test_patience_ends(failure: Failure, patience: timedelta, reason: DeathReason) -> None:
    assert delay(13, failure, age=patience - MINUTE) == MINUTE
    assert next_attempt(13, patience, failure, random_fraction=0, now=AT) == Dead(reason)


def test_a_refusal_after_a_long_outage_is_final() -> None:
    assert next_attempt(15, 10 * HOUR, REFUSED, random_fraction=0, now=AT) == Dead(
        DeathReason.REFUSED
    )


@given(st.integers(1, 100), ages, st.sampled_from(FailureKind), retry_afters, fractions)
def test_the_next_attempt_is_never_in_the_past_nor_beyond_hours(
    attempts: int,
    age: timedelta,
    kind: FailureKind,
    retry_after: timedelta | None,
    fraction: float,
) -> None:
    failure = Failure(kind, retry_after)
    match next_attempt(attempts, age, failure, random_fraction=fraction, now=AT):
        case RetryAt(at):
            asked = min(retry_after or timedelta(0), HOUR)
            assert AT + asked <= at <= AT + 4 * HOUR
        case Dead(reason):
            assert age >= HOUR or reason is DeathReason.GONE


@given(st.integers(1, 100), st.timedeltas(-DAY, timedelta(0)), fractions)
def test_a_clock_that_was_set_back_changes_nothing(
    attempts: int, age: timedelta, fraction: float
) -> None:
    for failure in (DOWN, REFUSED):
        expected = delay(attempts, failure, fraction=fraction)
        assert delay(attempts, failure, age=age, fraction=fraction) == expected


@given(st.data())
def test_a_receiver_that_stays_down_is_tried_twenty_times_a_day_at_most(
    data: st.DataObject,
) -> None:
    instants = [AT]
    while True:
        fraction = data.draw(st.sampled_from([0.0, 0.25, 0.999]))
        age = instants[-1] - AT
        step = next_attempt(len(instants), age, DOWN, random_fraction=fraction, now=instants[-1])
        if isinstance(step, Dead):
            break
        instants.append(step.at)
    assert instants[-1] == AT + 72 * HOUR
    for start in instants:
        assert sum(start <= at < start + DAY for at in instants) <= 20
