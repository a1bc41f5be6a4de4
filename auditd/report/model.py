"""What there is to report, before it has a format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from auditd.audit.authorization import Status, Timestamp, known_time
from auditd.audit.finding import Severity
from auditd.audit.policy import Check
from auditd.audit.snapshot import ProjectSnapshot

Identity: TypeAlias = tuple[str, str, str, Severity]
"""Project, check, authorization and severity: a finding that is the same in all four is known."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding beside what is known of its authorization.

    `age` is since the last update: None when that time is unknown or in the future.
    `known` tells that the finding was in the baseline already.
    """

    project: str
    authorization: str
    repo_type: str
    token_type: str
    check: str
    severity: Severity
    status: Status
    age: timedelta | None
    summary: str
    known: bool


@dataclass(frozen=True, slots=True)
class Report:
    """The projects as they were seen at `at`, and the checks that were run on them.

    `baseline` holds the findings of a former report. They count as known: they are left out
    of what is printed and do not decide the exit code.
    """

    snapshots: tuple[ProjectSnapshot, ...]
    checks: tuple[Check, ...]
    at: datetime
    tool_version: str
    baseline: frozenset[Identity] = frozenset()

    @property
    def projects(self) -> tuple[ProjectSnapshot, ...]:
        """All, sorted by name."""
        return tuple(sorted(self.snapshots, key=lambda snapshot: snapshot.project.name))

    @property
    def failed_projects(self) -> tuple[ProjectSnapshot, ...]:
        """Those that could not be polled, sorted by name. Of them no finding says anything."""
        return tuple(snapshot for snapshot in self.projects if snapshot.failure is not None)

    @property
    def authorizations(self) -> int:
        """How many authorizations were seen."""
        return sum(len(snapshot.authorizations or ()) for snapshot in self.snapshots)

    @property
    def new(self) -> tuple[Row, ...]:
        """The findings that are not in the baseline, worst first."""
        return tuple(row for row in _rows(self) if not row.known)

    @property
    def known(self) -> tuple[Row, ...]:
        """The findings that are in the baseline, worst first."""
        return tuple(row for row in _rows(self) if row.known)

    @property
    def worst(self) -> Severity | None:
        """The highest severity of what is new; None when nothing is."""
        return max((row.severity for row in self.new), key=lambda it: it.rank, default=None)


def _rows(report: Report) -> list[Row]:
    """Every finding on an authorization, by falling severity, then project, name and check."""
    rows = [row for snapshot in report.snapshots for row in _rows_of(snapshot, report)]
    rows.sort(key=lambda row: (-row.severity.rank, row.project, row.authorization, row.check))
    return rows


def _rows_of(snapshot: ProjectSnapshot, report: Report) -> Iterator[Row]:
    project = snapshot.project.name
    for finding in snapshot.findings:
        authorization = (snapshot.authorizations or {}).get(finding.authorization)
        if authorization is None:
            continue  # on the project itself: its failure is told of as such
        yield Row(
            project=project,
            authorization=authorization.name,
            repo_type=authorization.repo_type,
            token_type=authorization.token_type,
            check=finding.check,
            severity=finding.severity,
            status=authorization.status,
            age=_age(authorization.updated_at, report.at),
            summary=finding.summary,
            known=(project, *finding.key, finding.severity) in report.baseline,
        )


def _age(updated_at: Timestamp, now: datetime) -> timedelta | None:
    instant = known_time(updated_at)
    return now - instant if instant and instant <= now else None
