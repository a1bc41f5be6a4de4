from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Listing, Status, TimestampFault
from auditd.audit.checks.policy import Options, UserPolicy
from auditd.audit.events import (
    AuthorizationAdded,
    AuthorizationChanged,
    AuthorizationRemoved,
    Event,
    FindingCleared,
    FindingFlagged,
)
from auditd.audit.expression import parse_expression
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.finding import Finding, Severity
from auditd.audit.plugin import load_plugins
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import departed, failed, succeeded
from auditd.audit.verification import Verification

Authorize = Callable[..., Authorization]

POLICY = build_policy(load_plugins(checks, "servicestage_auditd.checks"), {}, blind_after=3)
SECOND = timedelta(seconds=1)
TIMEOUT = PollError(FailureReason.TIMEOUT, "no answer within 30s")


class Life:
    """A project's polls, one after another: the snapshot, and the events of the last poll."""

    def __init__(self, project: Project, now: datetime) -> None:
        self.snapshot = ProjectSnapshot(project)
        self.events: tuple[Event, ...] = ()
        self.now = now

    def see(
        self, *listed: Authorization, verifications: Mapping[str, Verification] | None = None
    ) -> None:
        self.snapshot, self.events = succeeded(
            self.snapshot,
            Listing(listed),
            POLICY,
            at=self.now,
            verifications=verifications or {},
        )

    def fail(self, error: PollError = TIMEOUT) -> None:
        self.snapshot, self.events = failed(self.snapshot, error, POLICY, at=self.now)

    @property
    def keys(self) -> list[tuple[str, str]]:
        return [finding.key for finding in self.snapshot.findings]


@pytest.fixture
def life(project: Project, now: datetime) -> Life:
    return Life(project, now)


def test_the_first_list_flags_findings_but_adds_nothing(life: Life, authorize: Authorize) -> None:
    overdue = authorize(status=Status.OVERDUE)
    life.see(overdue, authorize(name="fine"))
    assert life.events == (
        FindingFlagged("payments", life.snapshot.findings[0], overdue, life.now),
    )
    assert life.keys == [("overdue", "gh-main")]


def test_a_success_is_recorded_whole(life: Life, authorize: Authorize) -> None:
    life.fail()
    undated = authorize(name="undated", updated_at=TimestampFault.ZERO)
    dated = authorize(updated_at=life.now)
    life.see(undated, dated)
    assert life.snapshot == ProjectSnapshot(
        project=life.snapshot.project,
        attempted_at=life.now,
        succeeded_at=life.now,
        authorizations={"gh-main": dated, "undated": undated},
        findings=life.snapshot.findings,
        stale_at={"gh-main": life.now + timedelta(days=90)},
    )
    assert life.keys == [("timestamp", "undated")]
    assert life.snapshot.is_up


def test_what_came_went_and_changed_is_told_by_name(life: Life, authorize: Authorize) -> None:
    life.see(authorize(name="changed"), authorize(name="gone"), authorize(name="same"))
    retagged = authorize(name="changed", tag="intl", raw_status="00")
    life.see(authorize(name="same"), authorize(name="added"), retagged)
    assert life.events == (
        AuthorizationAdded("payments", authorize(name="added")),
        AuthorizationChanged(
            "payments", authorize(name="changed"), retagged, ("raw_status", "tag")
        ),
        AuthorizationRemoved("payments", authorize(name="gone")),
    )


def test_an_emptied_list_removes_all_and_clears_their_findings(
    life: Life, authorize: Authorize
) -> None:
    overdue = authorize(status=Status.OVERDUE)
    life.see(overdue)
    (finding,) = life.snapshot.findings
    life.see()
    assert life.events == (
        AuthorizationRemoved("payments", overdue),
        FindingCleared("payments", finding, overdue, life.now),
    )
    assert life.snapshot.authorizations == {}


def test_a_recovered_authorization_is_shown_as_it_is_listed_now(
    life: Life, authorize: Authorize
) -> None:
    life.see(authorize(status=Status.OVERDUE))
    (finding,) = life.snapshot.findings
    life.see(authorize())
    assert life.events[1:] == (FindingCleared("payments", finding, authorize(), life.now),)


def test_drift_is_a_finding_of_one_poll(life: Life, authorize: Authorize) -> None:
    life.see(authorize())
    life.see(authorize(repo_user="mallory"))
    assert life.keys == [("drift", "gh-main")]
    life.see(authorize(repo_user="mallory"))
    assert life.keys == []
    assert [type(event) for event in life.events] == [FindingCleared]


def test_drift_is_measured_against_the_last_list_and_not_the_last_attempt(
    life: Life, authorize: Authorize
) -> None:
    life.see(authorize())
    life.fail()
    life.see(authorize(repo_user="mallory"))
    assert life.keys == [("drift", "gh-main")]


def test_a_raised_severity_flags_again_and_clears_nothing(life: Life, authorize: Authorize) -> None:
    plugins = {"stale": load_plugins(checks, "servicestage_auditd.checks")["stale"]}
    options = plugins["stale"].options
    warning = build_policy(plugins, {}, blind_after=3)
    critical = build_policy(plugins, {"stale": options(severity=Severity.CRITICAL)}, blind_after=3)
    listing = Listing((authorize(updated_at=life.now - timedelta(days=91)),))
    snapshot, _ = succeeded(life.snapshot, listing, warning, at=life.now, verifications={})
    snapshot, events = succeeded(snapshot, listing, critical, at=life.now, verifications={})
    assert events == (
        FindingFlagged("payments", snapshot.findings[0], listing.authorizations[0], life.now),
    )
    assert snapshot.findings[0].severity is Severity.CRITICAL


def test_a_failed_poll_keeps_everything_that_was_seen(life: Life, authorize: Authorize) -> None:
    life.see(authorize(status=Status.OVERDUE))
    seen = life.snapshot
    life.now += SECOND
    life.fail()
    assert life.events == ()
    assert life.snapshot == replace(
        seen,
        attempted_at=life.now,
        failure=FailureReason.TIMEOUT,
        failure_message="no answer within 30s",
        failures_in_a_row=1,
    )


def test_exactly_blind_after_failures_in_a_row_make_a_project_blind(
    life: Life, authorize: Authorize
) -> None:
    life.see(authorize(name="aaa", status=Status.OVERDUE))
    seen_at = life.now
    life.now += SECOND
    life.fail()
    life.fail()
    assert (life.events, life.keys) == ((), [("overdue", "aaa")])
    life.fail()
    blind = Finding(
        check="blind",
        alertname="ProjectBlind",
        severity=Severity.CRITICAL,
        authorization="",
        summary=("project payments cannot be polled (timeout); last seen 2026-06-01T12:00:00Z"),
        since=seen_at,
    )
    assert life.events == (FindingFlagged("payments", blind, None, life.now),)
    assert life.keys == [("blind", ""), ("overdue", "aaa")]


def test_a_blind_project_stays_blind_without_new_events(life: Life) -> None:
    for _ in range(3):
        life.fail()
    (blind,) = life.snapshot.findings
    assert blind.summary == "project payments cannot be polled (timeout); never seen so far"
    life.fail()
    assert (life.events, life.snapshot.findings) == ((), (blind,))
    assert life.snapshot.failures_in_a_row == 4


def test_a_success_clears_blindness_and_the_count(life: Life, authorize: Authorize) -> None:
    for _ in range(3):
        life.fail()
    (blind,) = life.snapshot.findings
    life.see(authorize())
    assert life.events == (FindingCleared("payments", blind, None, life.now),)
    assert life.snapshot.failures_in_a_row == 0


def test_a_departed_project_clears_all_its_findings(life: Life, authorize: Authorize) -> None:
    overdue = authorize(status=Status.OVERDUE)
    life.see(overdue)
    for _ in range(3):
        life.fail()
    blind, finding = life.snapshot.findings
    assert departed(life.snapshot, life.now) == (
        FindingCleared("payments", blind, None, life.now),
        FindingCleared("payments", finding, overdue, life.now),
    )


def test_only_the_check_stale_says_when_it_becomes_stale(
    project: Project, authorize: Authorize, now: datetime
) -> None:
    sooner = UserPolicy(name="sooner", expression=parse_expression('update_age > "20d"'))
    plugins = load_plugins(checks, "servicestage_auditd.checks")
    policy = build_policy(plugins, {"policy": Options(policies=(sooner,))}, blind_after=3)
    authorization = authorize(updated_at=now)
    snapshot, _ = succeeded(
        ProjectSnapshot(project), Listing((authorization,)), policy, at=now, verifications={}
    )
    assert snapshot.stale_at == {"gh-main": now + timedelta(days=90)}
