from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auditd.audit.authorization import Authorization, Status
from auditd.audit.policy import Observation
from auditd.audit.project import Project
from auditd.audit.run import distinct
from auditd.audit.verification import Verification

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(
        name="payments",
        project_id="0123456789abcdef0123456789abcdef",
        region="cn-north-4",
        credential="prod",
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
        verify=True,
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
def observe(project: Project) -> Callable[..., Observation]:
    """What is seen of these authorizations at NOW, or `now`."""

    def observation(
        *listed: Authorization,
        previous: tuple[Authorization, ...] | None = None,
        verifications: Mapping[str, Verification] | None = None,
        now: datetime = NOW,
    ) -> Observation:
        return Observation(
            project=project,
            listed=listed,
            authorizations=distinct(listed),
            previous=None if previous is None else distinct(previous),
            now=now,
            verifications=verifications or {},
        )

    return observation
