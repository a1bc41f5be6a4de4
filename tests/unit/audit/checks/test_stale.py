import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, TimestampFault
from auditd.audit.checks.stale import PLUGIN, Options, Override, Stale, Tier
from auditd.audit.finding import Finding, Severity
from auditd.audit.match import MatchField
from auditd.audit.policy import Observation
from auditd.audit.project import Project

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

MILLISECOND = timedelta(milliseconds=1)
UPDATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
DEFAULT_LIMIT = timedelta(days=90)
TIERED = Options(
    tiers=(
        Tier(max_age=timedelta(days=365), severity=Severity.CRITICAL),
        Tier(max_age=timedelta(days=180), severity=Severity.INFO),
    )
)
PASSWORDS = Options(
    tiers=TIERED.tiers,
    overrides=(
        Override(
            match={MatchField.TOKEN_TYPE: re.compile("password")},
            max_age=timedelta(days=30),
            severity=Severity.CRITICAL,
        ),
        Override(match={MatchField.AUTHORIZATION: re.compile("gh-.*")}, max_age=timedelta(days=60)),
    ),
)


@pytest.fixture
def found(authorize: Authorize, observe: Observe) -> Callable[..., list[Finding]]:
    """What is found at this age."""

    def inspect(options: Options, age: timedelta, **changes: str) -> list[Finding]:
        authorization = authorize(updated_at=UPDATED_AT, **changes)
        return [*Stale(options).inspect(observe(authorization, now=UPDATED_AT + age))]

    return inspect


Found = Callable[..., list[Finding]]


def test_exactly_max_age_is_still_fresh(found: Found) -> None:
    assert found(Options(), DEFAULT_LIMIT) == []


def test_a_millisecond_beyond_max_age_is_stale(found: Found) -> None:
    assert found(Options(), DEFAULT_LIMIT + MILLISECOND) == [
        Finding(
            check="stale",
            alertname="GitAuthorizationStale",
            severity=Severity.WARNING,
            authorization="gh-main",
            summary=(
                "github authorization gh-main was last renewed 2026-01-01T00:00:00Z;"
                " the limit is 90d"
            ),
            since=UPDATED_AT + DEFAULT_LIMIT,
        )
    ]


def test_the_finding_stays_the_same_while_the_age_grows(found: Found) -> None:
    assert found(Options(), timedelta(days=91)) == found(Options(), timedelta(days=9000))


@pytest.mark.parametrize(
    ("age", "severity", "limit_days"),
    [
        (timedelta(days=180), Severity.WARNING, 90),
        (timedelta(days=180) + MILLISECOND, Severity.INFO, 180),
        (timedelta(days=365), Severity.INFO, 180),
        (timedelta(days=365) + MILLISECOND, Severity.CRITICAL, 365),
    ],
)
def test_the_greatest_exceeded_tier_gives_severity_limit_and_start(
    found: Found, age: timedelta, severity: Severity, limit_days: int
) -> None:
    (finding,) = found(TIERED, age)
    assert finding.severity is severity
    assert finding.since == UPDATED_AT + timedelta(days=limit_days)
    assert finding.summary.endswith(f"the limit is {limit_days}d")


def test_the_first_matching_override_replaces_limit_and_tiers(found: Found) -> None:
    assert found(PASSWORDS, timedelta(days=30), token_type="password") == []
    (finding,) = found(PASSWORDS, timedelta(days=30) + MILLISECOND, token_type="password")
    assert (finding.severity, finding.summary[-3:]) == (Severity.CRITICAL, "30d")


def test_an_override_without_severity_has_the_severity_of_the_check(found: Found) -> None:
    (finding,) = found(PASSWORDS, timedelta(days=9000))
    assert (finding.severity, finding.summary[-3:]) == (Severity.WARNING, "60d")


def test_what_no_override_matches_has_limit_and_tiers(found: Found) -> None:
    (finding,) = found(PASSWORDS, timedelta(days=9000), name="lab")
    assert (finding.severity, finding.summary[-4:]) == (Severity.CRITICAL, "365d")


@pytest.mark.parametrize("fault", TimestampFault)
def test_an_unusable_update_time_is_left_to_the_timestamp_check(
    authorize: Authorize, observe: Observe, project: Project, fault: TimestampFault
) -> None:
    authorization = authorize(updated_at=fault)
    assert [*Stale(Options()).inspect(observe(authorization))] == []
    assert Stale(Options()).fires_at(project, authorization) is None


@given(age_ms=st.integers(1, 10**12), max_age_ms=st.integers(1, 10**12))
def test_it_fires_after_fires_at_and_not_before(
    authorize: Authorize, observe: Observe, project: Project, age_ms: int, max_age_ms: int
) -> None:
    check = Stale(Options(max_age=max_age_ms * MILLISECOND))
    authorization = authorize(updated_at=UPDATED_AT)
    now = UPDATED_AT + age_ms * MILLISECOND
    fires_at = check.fires_at(project, authorization)
    assert fires_at is not None
    assert bool([*check.inspect(observe(authorization, now=now))]) == (now > fires_at)


def test_fires_at_is_the_lowest_limit_that_applies(authorize: Authorize, project: Project) -> None:
    def fires_at(options: Options) -> datetime | None:
        return PLUGIN.build(options).fires_at(project, authorize(updated_at=UPDATED_AT))

    assert fires_at(TIERED) == UPDATED_AT + DEFAULT_LIMIT
    assert fires_at(PASSWORDS) == UPDATED_AT + timedelta(days=60)


def test_time_changes_what_it_says_at_each_limit(authorize: Authorize, project: Project) -> None:
    def ages(options: Options, **changes: object) -> set[timedelta]:
        turns = Stale(options).turns(project, authorize(updated_at=UPDATED_AT, **changes))
        return {turn - UPDATED_AT for turn in turns}

    assert ages(TIERED) == {timedelta(days=days) for days in (90, 180, 365)}
    assert ages(PASSWORDS) == {timedelta(days=60)}
    unknown = authorize(updated_at=TimestampFault.ZERO)
    assert [*Stale(TIERED).turns(project, unknown)] == []


def test_the_severities_are_those_of_the_check_its_tiers_and_its_overrides() -> None:
    assert Stale(Options()).severities == {Severity.WARNING}
    assert Stale(TIERED).severities == {Severity.WARNING, Severity.INFO, Severity.CRITICAL}
    overrides = PASSWORDS.overrides
    assert Stale(Options(overrides=overrides)).severities == {Severity.WARNING, Severity.CRITICAL}


def test_an_update_at_the_end_of_the_calendar_does_not_overflow(
    authorize: Authorize, observe: Observe, project: Project
) -> None:
    end = datetime(9999, 12, 31, tzinfo=UTC)
    assert Stale(Options()).fires_at(project, authorize(updated_at=end)) == datetime.max.replace(
        tzinfo=UTC
    )
    assert [*Stale(Options()).inspect(observe(authorize(updated_at=end)))] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_age": timedelta(0)}, "max_age must be positive"),
        (
            {
                "overrides": (
                    Override(match={MatchField.TAG: re.compile("x")}, max_age=-MILLISECOND),
                )
            },
            "max_age must be positive",
        ),
        (
            {"tiers": (Tier(max_age=DEFAULT_LIMIT, severity=Severity.CRITICAL),)},
            "the tier of 90d must lie above max_age, which is 90d",
        ),
        (
            {"max_age": timedelta(hours=1), "tiers": TIERED.tiers * 2},
            "two tiers have the same max_age",
        ),
        (
            {"overrides": (Override(match={}, max_age=DEFAULT_LIMIT),)},
            "an override must match on something; to change the limit of all, set max_age",
        ),
        (
            {"max_age": timedelta(days=200), "tiers": TIERED.tiers * 2},
            (
                "the tier of 180d must lie above max_age, which is 200d;"
                " two tiers have the same max_age"
            ),
        ),
    ],
)
def test_limits_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        PLUGIN.options(**options)
