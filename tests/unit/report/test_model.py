from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.model import Identity, Report, Row

OVERDUE: Identity = ("payments", "overdue", "gl", Severity.CRITICAL)


def test_rows_come_worst_first_and_then_by_project_and_authorization(troubled: Report) -> None:
    assert [(row.severity, row.project, row.check) for row in troubled.new] == [
        (Severity.CRITICAL, "payments", "overdue"),
        (Severity.WARNING, "lab", "timestamp"),
        (Severity.WARNING, "payments", "stale"),
    ]


def test_a_row_joins_the_finding_with_its_authorization(troubled: Report) -> None:
    assert troubled.new[0] == Row(
        project="payments",
        authorization="gl",
        repo_type="gitlab",
        token_type="personal",
        check="overdue",
        severity=Severity.CRITICAL,
        status=Status.OVERDUE,
        age=timedelta(days=91),
        summary="gitlab authorization gl is overdue; re-authorize it",
        known=False,
    )


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(0), timedelta(0)),
        (timedelta(milliseconds=1), timedelta(milliseconds=1)),
        (timedelta(milliseconds=-1), None),
    ],
)
def test_an_update_in_the_future_has_no_age(
    *,
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
    troubled: Report,
    age: timedelta,
    shown: timedelta | None,
) -> None:
    authorization = authorize(status=Status.OVERDUE, updated_at=troubled.at - age)
    (row,) = report_of(seen("p", authorization)).new
    assert row.age == shown


def test_an_unknown_update_time_has_no_age(troubled: Report) -> None:
    assert troubled.new[1].age is None
    authorizations = troubled.projects[1].authorizations
    assert authorizations is not None
    assert authorizations["old"].updated_at is TimestampFault.MISSING


def test_a_failed_poll_is_a_failed_project_and_no_finding(troubled: Report) -> None:
    assert [snapshot.project.name for snapshot in troubled.failed_projects] == ["far"]
    assert [finding.check for finding in troubled.failed_projects[0].findings] == ["blind"]
    assert "far" not in {row.project for row in troubled.new}


def test_projects_are_sorted_by_name(troubled: Report) -> None:
    assert [it.project.name for it in troubled.projects] == ["far", "lab", "payments"]


def test_the_worst_severity_is_the_highest_of_what_is_new(fine: Report, troubled: Report) -> None:
    assert fine.worst is None
    assert troubled.worst is Severity.CRITICAL
    assert replace(troubled, baseline=frozenset({OVERDUE})).worst is Severity.WARNING


def test_what_the_baseline_has_is_known_and_no_longer_new(troubled: Report) -> None:
    report = replace(troubled, baseline=frozenset({OVERDUE}))
    assert [row.check for row in report.known] == ["overdue"]
    assert [row.check for row in report.new] == ["timestamp", "stale"]


def test_another_severity_is_news(troubled: Report) -> None:
    warned = (*OVERDUE[:3], Severity.WARNING)
    assert replace(troubled, baseline=frozenset({warned})).known == ()


def test_authorizations_are_counted_where_they_were_seen(troubled: Report) -> None:
    assert troubled.authorizations == 3
