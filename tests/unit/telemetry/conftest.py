from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.credential import CredentialStatus
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.telemetry.log import open_log
from auditd.telemetry.metrics import Metrics
from auditd.telemetry.redactor import Redactor
from tests.unit.telemetry.reading import read

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
CHECKS: Mapping[str, tuple[Severity, ...]] = {
    "overdue": (Severity.CRITICAL,),
    "stale": (Severity.WARNING, Severity.CRITICAL),
}


class Seconds:
    """A monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Lines:
    """An open log, and what it wrote."""

    def __init__(self, redactor: Redactor) -> None:
        self._stream = StringIO()
        self._open = ExitStack()
        log = open_log(self._stream, level="info", format="json", redactor=redactor)
        self.logger = self._open.enter_context(log).logger

    def read(self) -> list[dict[str, Any]]:
        """Close the log and parse its lines."""
        self._open.close()
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.fixture
def lines(redactor: Redactor) -> Iterator[Lines]:
    lines = Lines(redactor)
    yield lines
    lines.read()


@pytest.fixture
def authorization() -> Authorization:
    return Authorization(
        name="gh-prod",
        repo_type="github",
        repo_host="https://api.github.com",
        repo_user="tom",
        token_type="oauth",
        tag="intl",
        status=Status.NORMAL,
        raw_status="0",
        created_at=NOON - timedelta(days=100, milliseconds=358),
        updated_at=NOON - timedelta(days=10),
    )


@pytest.fixture
def project() -> Project:
    return Project(
        name="payments",
        project_id="0123456789abcdef0123456789abcdef",
        region="cn-north-4",
        credential="prod",
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
        labels=(("team", "pay"),),
    )


class Daemon:
    """Metrics, and what they look at."""

    def __init__(self, logger: Any, **options: Any) -> None:
        self.fleet: list[ProjectSnapshot] = []
        self.credentials: list[CredentialStatus] = []
        self.dropped_lines = 0
        self.metrics = Metrics(
            fleet=lambda: self.fleet,
            checks=lambda: CHECKS,
            credentials=lambda: self.credentials,
            dropped_log_lines=lambda: self.dropped_lines,
            version="1.2.3",
            logger=logger,
            **options,
        )

    def scrape(self) -> dict[str, float]:
        """Every series as it stands in the text, without process and Python."""
        text = read(self.metrics.expose)
        samples = (sample for family in parse_text(text) for sample in family.samples)
        return {
            sample.name + str(sorted(sample.labels.values())): sample.value
            for sample in samples
            if sample.name.startswith(("auditd_", "servicestage_"))
        }

    def values(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The series of one name by their values of these labels."""
        text = read(self.metrics.expose)
        samples = (sample for family in parse_text(text) for sample in family.samples)
        return {
            tuple(sample.labels[label] for label in labels): sample.value
            for sample in samples
            if sample.name == name
        }


@pytest.fixture
def logger() -> Any:
    warnings: list[Any] = []
    return SimpleNamespace(warnings=warnings, warning=lambda *_, **fields: warnings.append(fields))


@pytest.fixture
def make_daemon(logger: Any) -> Callable[..., Daemon]:
    return partial(Daemon, logger)


@pytest.fixture
def daemon(logger: Any) -> Daemon:
    return Daemon(logger)


@pytest.fixture
def snapshot(project: Project, authorization: Authorization, noon: datetime) -> ProjectSnapshot:
    undated = replace(
        authorization,
        name="old",
        repo_type="sourcehut",
        status=Status.OVERDUE,
        created_at=TimestampFault.MISSING,
        updated_at=TimestampFault.ZERO,
    )
    return ProjectSnapshot(
        project=project,
        attempted_at=noon,
        succeeded_at=noon,
        authorizations={"gh-prod": authorization, "old": undated},
        findings=(
            Finding(
                "overdue", "GitAuthorizationOverdue", Severity.CRITICAL, "old", "old is overdue"
            ),
        ),
        stale_at={"gh-prod": noon + timedelta(days=80)},
        verifications={
            "gh-prod": Verification(Verdict.WORKS, noon),
            "old": Verification(Verdict.INCONCLUSIVE, noon),
        },
    )
