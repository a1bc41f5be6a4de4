from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from auditd.audit.authorization import Authorization, TimestampFault
from auditd.audit.checks.timestamp import PLUGIN, Options
from auditd.audit.finding import Finding, Severity
from auditd.audit.policy import Observation

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

MILLISECOND = timedelta(milliseconds=1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def found(authorize: Authorize, observe: Observe) -> Callable[..., list[Finding]]:
    def inspect(options: Options = Options(), **times: object) -> list[Finding]:  # noqa: B008 -- immutable
        return [*PLUGIN.build(options).inspect(observe(authorize(**times), now=NOW))]

    return inspect


Found = Callable[..., list[Finding]]


def test_times_in_order_are_fine(found: Found) -> None:
    assert found(created_at=NOW - MILLISECOND, updated_at=NOW) == []


def test_updated_when_it_was_created_is_fine(found: Found) -> None:
    assert found(created_at=NOW, updated_at=NOW) == []


def test_updated_a_millisecond_before_it_was_created_is_found(found: Found) -> None:
    (finding,) = found(created_at=NOW, updated_at=NOW - MILLISECOND)
    assert finding.summary == (
        "github authorization gh-main has times that cannot be right: updated before it was created"
    )
    assert (finding.alertname, finding.severity) == (
        "GitAuthorizationTimestampInvalid",
        Severity.WARNING,
    )


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (TimestampFault.MISSING, "missing"),
        (TimestampFault.ZERO, "zero"),
        (TimestampFault.IN_SECONDS, "in seconds"),
        (TimestampFault.UNREADABLE, "unreadable"),
    ],
)
@pytest.mark.parametrize(
    ("field", "what"), [("created_at", "create time"), ("updated_at", "update time")]
)
def test_each_unusable_time_is_named(
    found: Found, field: str, what: str, fault: TimestampFault, text: str
) -> None:
    (finding,) = found(**{field: fault})
    assert finding.summary.endswith(f"cannot be right: {what} {text}")


def test_both_times_unusable_are_one_finding(found: Found) -> None:
    (finding,) = found(created_at=TimestampFault.ZERO, updated_at=TimestampFault.MISSING)
    assert finding.summary.endswith("cannot be right: create time zero, update time missing")


@pytest.mark.parametrize("tolerance", [timedelta(0), timedelta(minutes=5), timedelta(days=1)])
def test_exactly_the_tolerance_ahead_is_fine_and_a_millisecond_more_is_not(
    found: Found, tolerance: timedelta
) -> None:
    options = Options(tolerance=tolerance)
    limit = NOW + tolerance
    assert found(options, created_at=NOW, updated_at=limit) == []
    (finding,) = found(options, created_at=NOW, updated_at=limit + MILLISECOND)
    assert finding.summary.endswith("Z in the future")


def test_the_default_tolerance_is_five_minutes() -> None:
    assert Options().tolerance == timedelta(minutes=5)


def test_a_negative_tolerance_is_refused() -> None:
    with pytest.raises(ValueError, match="tolerance must not be negative"):
        Options(tolerance=-MILLISECOND)


def test_time_changes_what_it_says_when_a_time_is_not_in_the_future_any_more(
    authorize: Authorize, observe: Observe
) -> None:
    check = PLUGIN.build(Options(tolerance=timedelta(hours=1)))
    future = authorize(created_at=NOW, updated_at=NOW + timedelta(days=2))
    observation = observe(future, now=NOW)
    turns = [*check.turns(observation.project, future)]
    assert turns == [NOW - timedelta(hours=1), NOW + timedelta(hours=47)]
    assert [*check.inspect(observe(future, now=turns[1] - MILLISECOND))]
    assert not [*check.inspect(observe(future, now=turns[1]))]


def test_a_time_at_the_beginning_of_the_calendar_does_not_overflow(
    authorize: Authorize, observe: Observe
) -> None:
    first = authorize(
        created_at=datetime.min.replace(tzinfo=UTC), updated_at=TimestampFault.MISSING
    )
    project = observe(first).project
    assert [*PLUGIN.build(Options()).turns(project, first)] == []
