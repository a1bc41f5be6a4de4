from datetime import datetime, timedelta

import pytest

from auditd.audit.authorization import Status, TimestampFault, known_time
from auditd.audit.credential import CredentialStatus
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.finding import Severity
from auditd.audit.policy import CheckOptions
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot


def test_severities_rank_from_info_to_critical() -> None:
    assert sorted(Severity, key=lambda severity: severity.rank) == [
        Severity.INFO,
        Severity.WARNING,
        Severity.CRITICAL,
    ]


def test_statuses_grow_worse_from_normal_over_unknown_to_overdue() -> None:
    assert sorted(Status, key=lambda status: status.badness) == [
        Status.NORMAL,
        Status.UNKNOWN,
        Status.UNAUTHENTICATED,
        Status.OVERDUE,
    ]


def test_only_an_instant_is_a_known_time(now: datetime) -> None:
    assert known_time(now) is now
    assert {known_time(fault) for fault in TimestampFault} == {None}


def test_a_project_is_up_when_its_last_poll_succeeded(project: Project, now: datetime) -> None:
    assert not ProjectSnapshot(project).is_up
    assert ProjectSnapshot(project, succeeded_at=now).is_up
    failed = ProjectSnapshot(project, succeeded_at=now, failure=FailureReason.DNS)
    assert not failed.is_up


def test_a_poll_error_carries_its_reason_and_is_its_message() -> None:
    with pytest.raises(PollError, match="no address for host") as caught:
        raise PollError(FailureReason.DNS, "no address for host")
    assert caught.value.reason is FailureReason.DNS


def test_a_credential_that_was_not_used_yet_shows_neither_expiry_nor_skew() -> None:
    status = CredentialStatus("prod")
    assert (status.expires_at, status.clock_skew_seconds) == (None, None)


def test_a_check_is_enabled_and_its_alert_waits_for_nothing_by_default() -> None:
    assert CheckOptions() == CheckOptions(
        enabled=True,
        severity=Severity.WARNING,
        for_=timedelta(0),
        keep_firing_for=timedelta(0),
    )
