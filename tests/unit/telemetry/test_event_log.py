from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from auditd.audit import events
from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.events import Event
from auditd.audit.failure import FailureReason, SkipReason
from auditd.audit.finding import Finding, Severity
from auditd.telemetry import names
from auditd.telemetry.event_log import EventLog

FINDING = Finding(
    check="stale",
    alertname="GitAuthorizationStale",
    severity=Severity.CRITICAL,
    authorization="gh-prod",
    summary="gh-prod was last updated on 2026-11-14",
)
FAILED = events.PollFailed("payments", FailureReason.DNS, "no such host", 0.1, 0.0, 1)


@pytest.fixture
def log(lines: Any, seconds: Any) -> EventLog:
    return EventLog(lines.logger, monotonic=seconds)


@pytest.fixture
def logged(lines: Any, log: EventLog) -> Any:
    """Emit events, and get the lines without their timestamps."""

    def emit(*emitted: Event) -> list[dict[str, Any]]:
        for event in emitted:
            log(event)
        return [{key: line[key] for key in line if key != "timestamp"} for line in lines.read()]

    return emit


def test_a_poll_is_one_line(logged: Any) -> None:
    assert logged(events.PollFinished("payments", 0.25, 0.01, 3, 1, (), is_news=True)) == [
        {
            "level": "info",
            "event": "poll.finished",
            "project": "payments",
            "duration_seconds": 0.25,
            "lag_seconds": 0.01,
            "authorizations": 3,
            "findings": 1,
        }
    ]


def test_an_odd_list_is_a_warning(logged: Any) -> None:
    (line,) = logged(
        events.PollFinished("payments", 0.25, 0.01, 3, 1, ("count_mismatch",), is_news=True)
    )
    assert (line["level"], line["warnings"]) == ("warning", ["count_mismatch"])


def test_a_poll_that_brought_nothing_new_is_no_line_at_info(logged: Any) -> None:
    assert logged(events.PollFinished("payments", 0.25, 0.01, 3, 1, (), is_news=False)) == []


def test_a_failed_poll_says_why(logged: Any) -> None:
    assert logged(FAILED) == [
        {
            "level": "warning",
            "event": "poll.failed",
            "project": "payments",
            "reason": "dns",
            "message": "no such host",
            "duration_seconds": 0.1,
            "lag_seconds": 0.0,
            "failures_in_a_row": 1,
        }
    ]


def test_a_failure_that_goes_on_is_logged_once_a_minute(
    lines: Any, log: EventLog, seconds: Any
) -> None:
    for number in range(1, 9):
        log(replace(FAILED, failures_in_a_row=number))
        log(replace(FAILED, project="other", failures_in_a_row=number))
        seconds.advance(10)
    logged = [line for line in lines.read() if line["project"] == "payments"]
    assert [line["failures_in_a_row"] for line in logged] == [1, 7]
    assert [line.get("suppressed") for line in logged] == [None, 5]


def test_a_failure_for_another_reason_or_after_a_success_is_news(logged: Any) -> None:
    lines = logged(
        FAILED,
        replace(FAILED, failures_in_a_row=2),
        replace(FAILED, reason=FailureReason.TLS, failures_in_a_row=3),
        FAILED,
    )
    assert [(line["reason"], line["failures_in_a_row"]) for line in lines] == [
        ("dns", 1),
        ("tls", 3),
        ("dns", 1),
    ]


def test_slots_that_are_skipped_again_and_again_do_not_flood_the_log(logged: Any) -> None:
    skipped = events.PollSkipped("payments", SkipReason.OVERLAP, 1)
    lines = logged(skipped, skipped, replace(skipped, reason=SkipReason.CLOCK), skipped)
    assert [line["reason"] for line in lines] == ["overlap", "clock"]


def test_a_source_that_goes_on_failing_is_told_when_it_begins_changes_and_each_hour(
    lines: Any, seconds: Any, log: EventLog
) -> None:
    def fail(message: str, failures_in_a_row: int) -> None:
        log(events.DiscoveryFailed("iam/prod", message, failures_in_a_row))

    for number in range(1, 8):
        fail("timeout", number)
        seconds.advance(600)
    fail("refused", 8)
    fail("timeout", 9)
    fail("timeout", 1)
    told = [(line["message"], line["failures_in_a_row"]) for line in lines.read()]
    assert told == [("timeout", 1), ("timeout", 7), ("refused", 8), ("timeout", 1)]


def test_a_skipped_slot_is_a_warning(logged: Any) -> None:
    assert logged(events.PollSkipped("payments", SkipReason.OVERLAP, 2)) == [
        {
            "level": "warning",
            "event": "poll.skipped",
            "project": "payments",
            "reason": "overlap",
            "slots": 2,
        }
    ]


def test_a_flagged_finding_tells_all_that_an_alert_would(
    logged: Any, authorization: Authorization, noon: datetime
) -> None:
    assert logged(events.FindingFlagged("payments", FINDING, authorization, noon)) == [
        {
            "level": "error",
            "event": "finding.flagged",
            "project": "payments",
            "authorization": "gh-prod",
            "check": "stale",
            "severity": "critical",
            "status": "normal",
            "age_seconds": 864000.0,
            "summary": "gh-prod was last updated on 2026-11-14",
        }
    ]


@pytest.mark.parametrize(
    ("severity", "level"),
    [(Severity.INFO, "info"), (Severity.WARNING, "warning"), (Severity.CRITICAL, "error")],
)
def test_the_severity_of_a_finding_decides_its_level(
    logged: Any, noon: datetime, severity: Severity, level: str
) -> None:
    (line,) = logged(
        events.FindingFlagged("payments", replace(FINDING, severity=severity), None, noon)
    )
    assert line["level"] == level


def test_a_cleared_finding_is_information(
    logged: Any, authorization: Authorization, noon: datetime
) -> None:
    (line,) = logged(events.FindingCleared("payments", FINDING, authorization, noon))
    assert (line["level"], line["event"]) == ("info", "finding.cleared")


def test_what_is_not_known_is_left_out(
    logged: Any, authorization: Authorization, noon: datetime
) -> None:
    undated = replace(authorization, updated_at=TimestampFault.ZERO)
    of_project = replace(FINDING, check="project", authorization="")
    first, second = logged(
        events.FindingFlagged("payments", FINDING, undated, noon),
        events.FindingFlagged("payments", of_project, None, noon),
    )
    assert "age_seconds" not in first
    assert not {"authorization", "status", "age_seconds"} & second.keys()


def test_an_authorization_that_came_is_described(logged: Any, authorization: Authorization) -> None:
    assert logged(events.AuthorizationAdded("payments", authorization)) == [
        {
            "level": "info",
            "event": "authorization.added",
            "project": "payments",
            "authorization": "gh-prod",
            "repo_type": "github",
            "repo_host": "https://api.github.com",
            "repo_user": "tom",
            "token_type": "oauth",
            "status": "normal",
        }
    ]


def test_a_change_tells_what_was_and_what_is(
    logged: Any, authorization: Authorization, noon: datetime
) -> None:
    after = replace(authorization, status=Status.OVERDUE, updated_at=noon)
    (line,) = logged(
        events.AuthorizationChanged("payments", authorization, after, ("status", "updated_at"))
    )
    assert line["fields"] == ["status", "updated_at"]
    assert line["before"] == {"status": "normal", "updated_at": "2026-11-14T12:00:00Z"}
    assert line["after"] == {"status": "overdue", "updated_at": "2026-11-24T12:00:00Z"}


def test_a_refused_credential_needs_a_person(logged: Any, noon: datetime) -> None:
    assert logged(
        events.CredentialRejected(
            "prod", "", FailureReason.AUTH, "401", noon + timedelta(minutes=5)
        ),
        events.CredentialRefreshed("prod", "0123", None),
    ) == [
        {
            "level": "error",
            "event": "credential.rejected",
            "credential": "prod",
            "reason": "auth",
            "message": "401",
            "held_until": "2026-11-24T12:05:00Z",
        },
        {"level": "info", "event": "credential.refreshed", "credential": "prod", "scope": "0123"},
    ]


def test_a_throttled_credential_is_waited_for(logged: Any, noon: datetime) -> None:
    assert logged(events.CredentialThrottled("prod", noon)) == [
        {
            "level": "warning",
            "event": "credential.throttled",
            "credential": "prod",
            "held_until": "2026-11-24T12:00:00Z",
        }
    ]


def test_discovery_names_its_source(logged: Any) -> None:
    assert logged(
        events.DiscoveryAdded("iam/prod", "payments", "0123", "cn-north-4"),
        events.DiscoveryRemoved("iam/prod", "payments"),
        events.DiscoveryFailed("iam/prod", "timeout"),
    ) == [
        {
            "level": "info",
            "event": "discovery.added",
            "source": "iam/prod",
            "project": "payments",
            "project_id": "0123",
            "region": "cn-north-4",
        },
        {
            "level": "info",
            "event": "discovery.removed",
            "source": "iam/prod",
            "project": "payments",
        },
        {
            "level": "warning",
            "event": "discovery.failed",
            "source": "iam/prod",
            "message": "timeout",
            "failures_in_a_row": 1,
        },
    ]


def test_every_event_has_a_line_with_its_own_name(
    logged: Any, authorization: Authorization, noon: datetime
) -> None:
    every: tuple[Event, ...] = (
        events.PollFinished("p", 0.0, 0.0, 0, 0, (), is_news=True),
        FAILED,
        events.PollSkipped("p", SkipReason.CLOCK, 1),
        events.FindingFlagged("p", FINDING, None, noon),
        events.FindingCleared("p", FINDING, None, noon),
        events.AuthorizationAdded("p", authorization),
        events.AuthorizationRemoved("p", authorization),
        events.AuthorizationChanged("p", authorization, authorization, ()),
        events.CredentialRefreshed("c", "", noon),
        events.CredentialRejected("c", "", FailureReason.AUTH, "m", noon),
        events.CredentialThrottled("c", noon),
        events.DiscoveryAdded("s", "p", "i", "r"),
        events.DiscoveryRemoved("s", "p"),
        events.DiscoveryFailed("s", "m"),
    )
    assert {type(event) for event in every} == set(get_args(Event))
    logged_names = [line["event"] for line in logged(*every)]
    assert len(set(logged_names)) == len(every)
    assert set(logged_names) <= {getattr(names, name) for name in dir(names) if name.isupper()}
