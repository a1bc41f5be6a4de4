from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Listing, Status
from auditd.audit.checks.stale import Options as StaleOptions
from auditd.audit.events import FindingCleared, FindingFlagged
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.finding import Severity
from auditd.audit.plugin import load_plugins
from auditd.audit.policy import CheckOptions
from auditd.audit.project import Project
from auditd.audit.run import Policy, build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import failed, rejudged, succeeded

Authorize = Callable[..., Authorization]


def policy(blind_after: int = 3, **options: CheckOptions) -> Policy:
    return build_policy(load_plugins(checks, "none"), options, blind_after)


@pytest.fixture
def seen(project: Project, authorize: Authorize, now: datetime) -> ProjectSnapshot:
    """After a list with something for `overdue`, `stale`, `duplicate` and `drift`."""
    former = Listing((authorize(name="moved", repo_user="tom"),))
    listing = Listing(
        (
            authorize(name="lapsed", status=Status.OVERDUE),
            authorize(name="old", updated_at=now - timedelta(days=100)),
            authorize(name="twice"),
            authorize(name="twice"),
            authorize(name="moved", repo_user="eve"),
        )
    )
    snapshot = ProjectSnapshot(project)
    for number, listed in enumerate((former, listing)):
        at = now + number * timedelta(minutes=1)
        snapshot, _ = succeeded(snapshot, listed, policy(), at=at, verifications={})
    assert checks_of(snapshot) == {"overdue", "stale", "duplicate", "drift"}
    return snapshot


def checks_of(snapshot: ProjectSnapshot) -> set[str]:
    return {finding.check for finding in snapshot.findings}


def test_the_same_policy_changes_nothing_however_late(seen: ProjectSnapshot, now: datetime) -> None:
    assert rejudged(seen, policy(), at=now + timedelta(days=400)) == (seen, ())


@pytest.mark.parametrize("check", ["overdue", "stale", "duplicate", "drift"])
def test_a_disabled_check_clears_and_an_enabled_one_flags_again_what_can_be_known(
    seen: ProjectSnapshot, now: datetime, check: str
) -> None:
    after, events = rejudged(seen, policy(3, **{check: CheckOptions(enabled=False)}), at=now)
    assert [type(event) for event in events] == [FindingCleared]
    assert checks_of(after) == checks_of(seen) - {check}
    again, _ = rejudged(after, policy(), at=now)
    is_known = check in {"overdue", "stale"}
    assert (checks_of(again) == checks_of(seen)) is is_known


@pytest.mark.parametrize("check", ["overdue", "duplicate", "drift"])
def test_another_severity_counts_at_once(seen: ProjectSnapshot, now: datetime, check: str) -> None:
    options = CheckOptions(severity=Severity.INFO)
    after, events = rejudged(seen, policy(3, **{check: options}), at=now)
    [event] = events
    assert isinstance(event, FindingFlagged)
    assert event.finding.severity is Severity.INFO
    assert checks_of(after) == checks_of(seen)


def test_when_stale_will_fire_is_known_anew(seen: ProjectSnapshot, now: datetime) -> None:
    after, _ = rejudged(seen, policy(stale=StaleOptions(max_age=timedelta(days=200))), at=now)
    assert "stale" not in checks_of(after)
    assert after.stale_at["old"] == now + timedelta(days=100)


def test_blindness_comes_and_goes_with_the_number_of_failures_that_it_takes(
    seen: ProjectSnapshot, now: datetime
) -> None:
    error = PollError(FailureReason.TIMEOUT, "no answer")
    for _ in range(2):
        seen, _ = failed(seen, error, policy(), at=now)
    blind, _ = rejudged(seen, policy(blind_after=2), at=now)
    assert checks_of(blind) - checks_of(seen) == {"blind"}
    assert rejudged(blind, policy(), at=now)[0] == seen


def test_a_project_that_was_never_listed_stays_blank(project: Project, now: datetime) -> None:
    assert rejudged(ProjectSnapshot(project), policy(), at=now) == (ProjectSnapshot(project), ())


def test_new_labels_of_the_project_stay(seen: ProjectSnapshot, now: datetime) -> None:
    labelled = replace(seen, project=replace(seen.project, labels=(("team", "pay"),)))
    assert rejudged(labelled, policy(), at=now)[0].project == labelled.project
