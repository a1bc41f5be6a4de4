from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Listing, Status, TimestampFault
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import load_plugins
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import failed, succeeded
from auditd.report.model import Report

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
# One failed poll is enough to be blind, so that the finding of blindness is there to be left out.
POLICY = build_policy(load_plugins(checks, "servicestage_auditd.checks"), {}, blind_after=1)
PROJECT = Project(
    name="payments",
    project_id="0123456789abcdef0123456789abcdef",
    region="cn-north-4",
    credential="prod",
    poll_interval=timedelta(minutes=5),
    poll_timeout=timedelta(seconds=30),
)


@pytest.fixture(scope="session")
def authorize() -> Callable[..., Authorization]:
    """A healthy authorization, renewed ten days ago, with the given fields changed."""
    healthy = Authorization(
        name="gh-main",
        repo_type="github",
        repo_host="https://api.github.com",
        repo_user="octocat",
        token_type="oauth",
        tag="",
        status=Status.NORMAL,
        raw_status="0",
        created_at=NOW - timedelta(days=400),
        updated_at=NOW - timedelta(days=10),
    )
    return lambda **changes: replace(healthy, **changes)


@pytest.fixture(scope="session")
def seen() -> Callable[..., ProjectSnapshot]:
    """A project after one poll that listed these authorizations."""

    def snapshot(name: str, *listed: Authorization) -> ProjectSnapshot:
        before = ProjectSnapshot(replace(PROJECT, name=name))
        return succeeded(before, Listing(listed), POLICY, at=NOW, verifications={})[0]

    return snapshot


@pytest.fixture(scope="session")
def unseen() -> Callable[..., ProjectSnapshot]:
    """A project after one failed poll."""

    def snapshot(name: str, message: str = "no answer within 30s") -> ProjectSnapshot:
        before = ProjectSnapshot(replace(PROJECT, name=name))
        return failed(before, PollError(FailureReason.TIMEOUT, message), POLICY, at=NOW)[0]

    return snapshot


@pytest.fixture(scope="session")
def report_of() -> Callable[..., Report]:
    def report(*snapshots: ProjectSnapshot) -> Report:
        return Report(snapshots=snapshots, checks=POLICY.checks, at=NOW, tool_version="1.2.3")

    return report


@pytest.fixture(scope="session")
def fine(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
) -> Report:
    """Nothing to complain about."""
    return report_of(seen("payments", authorize(), authorize(name="gl")), seen("lab"))


@pytest.fixture(scope="session")
def troubled(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    unseen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
) -> Report:
    """A critical finding, two warnings, a healthy authorization and a failed poll."""
    return report_of(
        seen(
            "payments",
            authorize(),
            authorize(
                name="gl",
                repo_type="gitlab",
                token_type="personal",
                status=Status.OVERDUE,
                updated_at=NOW - timedelta(days=91),
            ),
        ),
        seen("lab", authorize(name="old", updated_at=TimestampFault.MISSING)),
        unseen("far"),
    )
