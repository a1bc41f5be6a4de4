from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Listing
from auditd.audit.plugin import load_plugins
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import succeeded
from auditd.audit.verification import Verdict, Verification

Authorize = Callable[..., Authorization]

POLICY = build_policy(load_plugins(checks, "servicestage_auditd.checks"), {}, blind_after=3)
HOUR = timedelta(hours=1)


def poll(
    snapshot: ProjectSnapshot,
    at: datetime,
    *listed: Authorization,
    verifications: Mapping[str, Verification] | None = None,
) -> ProjectSnapshot:
    listing = Listing(listed)
    return succeeded(snapshot, listing, POLICY, at=at, verifications=verifications or {})[0]


def keys(snapshot: ProjectSnapshot) -> list[tuple[str, str]]:
    return [finding.key for finding in snapshot.findings]


@pytest.fixture
def broken(project: Project, now: datetime, authorize: Authorize) -> ProjectSnapshot:
    """A project with one authorization whose credential was found broken at `now`."""
    verifications = {"gh-main": Verification(Verdict.BROKEN, now)}
    snapshot = poll(ProjectSnapshot(project), now, authorize(), verifications=verifications)
    assert keys(snapshot) == [("broken", "gh-main")]
    return snapshot


def test_a_verdict_stands_through_polls_that_verify_nothing(
    broken: ProjectSnapshot, now: datetime, authorize: Authorize
) -> None:
    later = poll(broken, now + HOUR, authorize())
    assert later.verifications == {"gh-main": Verification(Verdict.BROKEN, now)}
    assert keys(later) == [("broken", "gh-main")]


def test_a_new_verdict_replaces_the_former(
    broken: ProjectSnapshot, now: datetime, authorize: Authorize
) -> None:
    works = {"gh-main": Verification(Verdict.WORKS, now + HOUR)}
    later = poll(broken, now + HOUR, authorize(), verifications=works)
    assert later.verifications == works
    assert keys(later) == []


def test_an_inconclusive_answer_takes_nothing_back(
    broken: ProjectSnapshot, now: datetime, authorize: Authorize
) -> None:
    inconclusive = {"gh-main": Verification(Verdict.INCONCLUSIVE, now + HOUR)}
    later = poll(broken, now + HOUR, authorize(), verifications=inconclusive)
    assert later.verifications == {"gh-main": Verification(Verdict.BROKEN, now + HOUR)}
    assert keys(later) == [("broken", "gh-main")]


def test_a_first_inconclusive_answer_is_kept(
    project: Project, now: datetime, authorize: Authorize
) -> None:
    inconclusive = {"gh-main": Verification(Verdict.INCONCLUSIVE, now)}
    snapshot = poll(ProjectSnapshot(project), now, authorize(), verifications=inconclusive)
    assert snapshot.verifications == inconclusive


def test_a_renewed_credential_has_no_verdict_of_its_predecessor(
    broken: ProjectSnapshot, now: datetime, authorize: Authorize
) -> None:
    later = poll(broken, now + HOUR, authorize(updated_at=now + HOUR))
    assert later.verifications == {}
    assert keys(later) == []


def test_only_verdicts_on_what_is_listed_are_kept(
    broken: ProjectSnapshot, now: datetime, authorize: Authorize
) -> None:
    other = {
        "other": Verification(Verdict.WORKS, now),
        "gone": Verification(Verdict.WORKS, now),
    }
    later = poll(broken, now + HOUR, authorize(name="other"), verifications=other)
    assert [*later.verifications] == ["other"]


def test_verdicts_end_when_the_project_is_no_longer_verified(
    broken: ProjectSnapshot, now: datetime, authorize: Authorize
) -> None:
    unverified = replace(broken, project=replace(broken.project, verify=False))
    later = poll(unverified, now + HOUR, authorize())
    assert (later.verifications, later.findings) == ({}, ())
