from collections.abc import Callable

import pytest

from auditd.audit.authorization import Authorization, Status
from auditd.audit.checks import overdue, unauthenticated, unknown_status
from auditd.audit.finding import Finding, Severity
from auditd.audit.policy import Observation
from auditd.audit.project import Project
from auditd.audit.rule import Rule

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

RULES = {
    Status.OVERDUE: overdue.build(overdue.Options()),
    Status.UNAUTHENTICATED: unauthenticated.build(unauthenticated.Options()),
    Status.UNKNOWN: unknown_status.build(unknown_status.Options()),
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(("watched", "rule"), RULES.items())
def test_each_status_is_found_by_its_own_check_and_no_other(
    authorize: Authorize, observe: Observe, status: Status, watched: Status, rule: Rule
) -> None:
    found = [*rule.inspect(observe(authorize(status=status)))]
    assert len(found) == (1 if status is watched else 0)


def test_an_overdue_authorization_gives_this_finding(
    authorize: Authorize, observe: Observe
) -> None:
    assert [*RULES[Status.OVERDUE].inspect(observe(authorize(status=Status.OVERDUE)))] == [
        Finding(
            check="overdue",
            alertname="GitAuthorizationOverdue",
            severity=Severity.CRITICAL,
            authorization="gh-main",
            summary="github authorization gh-main is overdue; re-authorize it",
        )
    ]


def test_an_unauthenticated_authorization_is_critical(
    authorize: Authorize, observe: Observe
) -> None:
    (found,) = RULES[Status.UNAUTHENTICATED].inspect(
        observe(authorize(status=Status.UNAUTHENTICATED))
    )
    assert (found.alertname, found.severity) == (
        "GitAuthorizationUnauthenticated",
        Severity.CRITICAL,
    )


@pytest.mark.parametrize(("raw", "shown"), [("7", "7"), ("", "none")])
def test_an_unknown_status_is_a_warning_that_says_what_was_sent(
    authorize: Authorize, observe: Observe, raw: str, shown: str
) -> None:
    (found,) = RULES[Status.UNKNOWN].inspect(
        observe(authorize(status=Status.UNKNOWN, raw_status=raw))
    )
    assert (found.alertname, found.severity, found.summary) == (
        "GitAuthorizationStatusUnknown",
        Severity.WARNING,
        f"github authorization gh-main has an unknown status: {shown}",
    )


def test_the_configured_severity_is_used(authorize: Authorize, observe: Observe) -> None:
    rule = overdue.build(overdue.Options(severity=Severity.INFO))
    (found,) = rule.inspect(observe(authorize(status=Status.OVERDUE)))
    assert found.severity is Severity.INFO


def test_a_missing_repo_type_leaves_no_gap_in_the_summary(
    authorize: Authorize, observe: Observe
) -> None:
    (found,) = RULES[Status.OVERDUE].inspect(
        observe(authorize(status=Status.OVERDUE, repo_type=""))
    )
    assert found.summary.startswith("authorization gh-main is overdue")


def test_time_alone_never_changes_a_status(authorize: Authorize, project: Project) -> None:
    assert all(rule.fires_at(project, authorize()) is None for rule in RULES.values())
