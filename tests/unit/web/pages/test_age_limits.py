from __future__ import annotations

import re
from datetime import timedelta

from auditd.audit.authorization import TimestampFault
from auditd.audit.checks.stale import Options, Override, Stale, Tier
from auditd.audit.finding import Severity
from auditd.audit.match import MatchField
from auditd.web.pages.age_limits import AgeLimit, limits_of
from tests.unit.web.pages.examples import DAY, listed_as, project_of

STALE = Stale(
    Options(
        tiers=(
            Tier(max_age=365 * DAY, severity=Severity.CRITICAL),
            Tier(max_age=180 * DAY, severity=Severity.WARNING),
        ),
        overrides=(
            Override(
                match={MatchField.AUTHORIZATION: re.compile("legacy-.*")},
                max_age=30 * DAY,
                severity=Severity.INFO,
            ),
        ),
    )
)


def test_every_tier_is_a_limit_with_its_severity() -> None:
    assert limits_of([STALE], project_of(), listed_as("one")) == [
        AgeLimit(90 * DAY, Severity.WARNING),
        AgeLimit(180 * DAY, Severity.WARNING),
        AgeLimit(365 * DAY, Severity.CRITICAL),
    ]


def test_an_override_stands_instead_of_them() -> None:
    listed = listed_as("legacy-one")
    assert limits_of([STALE], project_of(), listed) == [AgeLimit(30 * DAY, Severity.INFO)]


def test_without_the_check_or_an_update_time_there_are_none() -> None:
    undated = listed_as("one", updated_at=TimestampFault.MISSING)
    assert limits_of([], project_of(), listed_as("one")) == []
    assert limits_of([STALE], project_of(), undated) == []


def test_a_limit_beyond_the_end_of_time_breaks_nothing() -> None:
    endless = Stale(Options(max_age=timedelta.max))
    assert limits_of([endless], project_of(), listed_as("one")) == []
