from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from auditd.audit.authorization import Authorization
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from tests.unit.telemetry.reading import read


def test_an_authorization_is_described_by_its_labels(
    daemon: Any, snapshot: ProjectSnapshot
) -> None:
    daemon.fleet = [snapshot]
    labels = ("project", "authorization", "repo_type", "repo_host", "token_type", "tag")
    host = "https://api.github.com"
    assert daemon.values("servicestage_git_authorization_info", *labels) == {
        ("payments", "gh-prod", "github", host, "oauth", "intl"): 1,
        ("payments", "old", "other", host, "oauth", "intl"): 1,
    }


def test_exactly_one_of_four_statuses_is_1(daemon: Any, snapshot: ProjectSnapshot) -> None:
    daemon.fleet = [snapshot]
    statuses = daemon.values("servicestage_git_authorization_status", "authorization", "status")
    assert len(statuses) == 8
    assert {labels for labels, value in statuses.items() if value == 1} == {
        ("gh-prod", "normal"),
        ("old", "overdue"),
    }
    assert daemon.values("servicestage_git_authorizations", "project", "status") == {
        ("payments", "normal"): 1,
        ("payments", "overdue"): 1,
        ("payments", "unauthenticated"): 0,
        ("payments", "unknown"): 0,
    }


def test_the_interval_of_a_project_is_told_before_its_first_poll(
    daemon: Any, project: Project
) -> None:
    daemon.fleet = [ProjectSnapshot(project)]
    assert daemon.values("auditd_project_poll_interval_seconds", "project") == {("payments",): 300}


def test_times_are_exact_and_absent_when_unknown(
    daemon: Any, snapshot: ProjectSnapshot, authorization: Authorization, noon: datetime
) -> None:
    daemon.fleet = [snapshot]
    prefix = "servicestage_git_authorization"
    for name, at in {
        "created": authorization.created_at,
        "updated": authorization.updated_at,
        "stale": noon + timedelta(days=80),
    }.items():
        values = daemon.values(f"{prefix}_{name}_timestamp_seconds", "authorization")
        assert isinstance(at, datetime)
        assert values == {("gh-prod",): at.timestamp()}


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.WORKS, {("gh-prod",): 1}),
        (Verdict.BROKEN, {("gh-prod",): 0}),
        (Verdict.MISSING, {}),
        (Verdict.INCONCLUSIVE, {}),
    ],
)
def test_only_a_verdict_is_shown(
    daemon: Any, snapshot: ProjectSnapshot, noon: datetime, verdict: Verdict, expected: Any
) -> None:
    daemon.fleet = [replace(snapshot, verifications={"gh-prod": Verification(verdict, noon)})]
    assert daemon.values("servicestage_git_authorization_verified", "authorization") == expected


def test_a_project_carries_its_own_labels_only(daemon: Any, project: Project) -> None:
    other = replace(project, name="other", labels=(("cost-centre", "7"),))
    daemon.fleet = [ProjectSnapshot(project), ProjectSnapshot(other)]
    text = read(daemon.metrics.expose, names=["auditd_project_info"])
    place = f'project_id="{project.project_id}"'
    assert f'{{huawei_region="cn-north-4",label_team="pay",project="payments",{place}}} 1.0' in text
    assert (
        f'{{huawei_region="cn-north-4",label_cost_centre="7",project="other",{place}}} 1.0' in text
    )


def test_a_project_that_was_never_tried_claims_nothing(daemon: Any, project: Project) -> None:
    daemon.fleet = [ProjectSnapshot(project)]
    names = {series.split("[")[0] for series in daemon.scrape() if "payments" in series}
    assert names == {
        "auditd_project_info",
        "auditd_project_poll_interval_seconds",
        "auditd_polls_total",
        "auditd_poll_failures_total",
        "auditd_polls_skipped_total",
    }


def test_a_failed_project_is_down_and_keeps_what_was_seen(
    daemon: Any, snapshot: ProjectSnapshot, noon: datetime
) -> None:
    later = noon + timedelta(minutes=5)
    daemon.fleet = [replace(snapshot, attempted_at=later, failure=FailureReason.DNS)]
    scrape = daemon.scrape()
    assert scrape["auditd_project_up['payments']"] == 0
    assert scrape["auditd_project_last_attempt_timestamp_seconds['payments']"] == later.timestamp()
    assert scrape["auditd_project_last_success_timestamp_seconds['payments']"] == noon.timestamp()
    assert scrape["servicestage_git_authorizations['overdue', 'payments']"] == 1


def test_a_project_that_never_succeeded_is_down(
    daemon: Any, project: Project, noon: datetime
) -> None:
    daemon.fleet = [ProjectSnapshot(project, attempted_at=noon, failure=FailureReason.TLS)]
    assert daemon.values("auditd_project_up", "project") == {("payments",): 0}


def test_findings_start_at_zero_for_each_check_and_severity(
    daemon: Any, snapshot: ProjectSnapshot
) -> None:
    unforeseen = Finding("duplicate", "GitAuthorizationDuplicate", Severity.INFO, "old", "twice")
    daemon.fleet = [replace(snapshot, findings=(*snapshot.findings, unforeseen))]
    assert daemon.values("auditd_findings", "check", "severity") == {
        ("overdue", "critical"): 1,
        ("stale", "warning"): 0,
        ("stale", "critical"): 0,
        ("duplicate", "info"): 1,
    }


def test_a_project_that_was_never_listed_shows_only_its_own_finding(
    daemon: Any, project: Project, noon: datetime
) -> None:
    blind = Finding("project", "ProjectBlind", Severity.CRITICAL, "", "3 polls failed")
    daemon.fleet = [ProjectSnapshot(project, attempted_at=noon, findings=(blind,))]
    assert daemon.values("auditd_findings", "check", "severity") == {("project", "critical"): 1}
