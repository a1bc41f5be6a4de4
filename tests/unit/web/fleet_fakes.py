"""An office that has some projects, with content that somebody hostile may have sent."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from auditd.alerting.rules import CheckRule, Rules
from auditd.audit import checks
from auditd.audit.authorization import Authorization, Status, Timestamp, TimestampFault
from auditd.audit.blind import blind_finding
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.audit.plugin import load_plugins
from auditd.audit.policy import Check
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.web.fleet_office import Standing
from tests.unit.web.fakes import HOUR, NOW

PLUGINS = load_plugins(checks, "servicestage_auditd.checks")
CHECKS = build_policy(PLUGINS, {}, blind_after=3).checks
HOSTILE = "</script><img src=x onerror=alert(1)>\"'{{7*7}}%s/../?#& 迁移"


def project_of(name: str, **labels: str) -> Project:
    return Project(
        name=name,
        project_id=f"id-{name}",
        region="cn-north-4",
        credential="prod",
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
        labels=tuple(sorted(labels.items())),
    )


def authorization_of(
    name: str, status: Status = Status.NORMAL, *, updated_at: Timestamp = NOW - 24 * HOUR
) -> Authorization:
    return Authorization(
        name=name,
        repo_type="github",
        repo_host="https://github.com",
        repo_user="tom",
        token_type="oauth",
        tag="",
        status=status,
        raw_status="0",
        created_at=NOW - 48 * HOUR,
        updated_at=updated_at,
    )


def finding_of(authorization: str, check: str = "overdue") -> Finding:
    return Finding(
        check=check,
        alertname="GitAuthorizationOverdue",
        severity=Severity.CRITICAL if check == "overdue" else Severity.WARNING,
        authorization=authorization,
        summary=f"github authorization {authorization} is {check}",
        since=NOW - HOUR,
    )


def snapshot_of(
    project: Project, *authorizations: Authorization, findings: Sequence[Finding] = ()
) -> ProjectSnapshot:
    """Of a project that was listed an hour ago; each overdue one has a finding."""
    overdue = [finding_of(it.name) for it in authorizations if it.status is Status.OVERDUE]
    return ProjectSnapshot(
        project=project,
        attempted_at=NOW - HOUR,
        succeeded_at=NOW - HOUR,
        authorizations={it.name: it for it in sorted(authorizations, key=lambda it: it.name)},
        findings=tuple(sorted((*overdue, *findings), key=lambda finding: finding.key)),
        stale_at={it.name: NOW + HOUR for it in authorizations},
        verifications={it.name: Verification(Verdict.WORKS, NOW) for it in authorizations},
    )


def blind_of(project: Project) -> ProjectSnapshot:
    """Of a project that was never seen."""
    return ProjectSnapshot(
        project=project,
        attempted_at=NOW,
        failure=FailureReason.DNS,
        failure_message="no such host",
        failures_in_a_row=3,
        findings=(blind_finding(project.name, FailureReason.DNS, None),),
    )


def entry_of(seq: int, authorization: str = "gh-main") -> HistoryEntry:
    return HistoryEntry(
        at=NOW - HOUR,
        project="payments",
        kind=HistoryKind.FINDING_FLAGGED,
        authorization=authorization,
        listed=authorization_of(authorization, Status.OVERDUE),
        finding=finding_of(authorization),
        seq=seq,
    )


@dataclass
class FleetOffice:
    """`asked` has the calls that were made, with their arguments."""

    known: dict[str, ProjectSnapshot] = field(default_factory=dict)
    entries: list[HistoryEntry] = field(default_factory=list)
    terms: Rules = field(
        default_factory=lambda: Rules({it.name: CheckRule(it.description) for it in CHECKS})
    )
    missing: tuple[str, ...] = ()
    asked: list[tuple[object, ...]] = field(default_factory=list)
    fault: Exception | None = None
    """What history and polls raise from now on."""
    poll_seconds: float = 0.0

    def put(self, *snapshots: ProjectSnapshot) -> None:
        self.known |= {snapshot.project.name: snapshot for snapshot in snapshots}

    def standing(self) -> Standing:
        return Standing("1.2.3", NOW - HOUR, self.missing, "/etc/auditd.yaml", NOW - HOUR, "")

    def snapshots(self) -> Collection[ProjectSnapshot]:
        return self.known.values()

    def snapshot(self, project: str) -> ProjectSnapshot:
        if project not in self.known:
            msg = f"there is no project {project!r}"
            raise LookupError(msg)
        return self.known[project]

    def next_polls(self) -> Mapping[str, datetime]:
        return dict.fromkeys(self.known, NOW + HOUR)

    def checks(self) -> Sequence[Check]:
        return CHECKS

    def rules(self) -> Rules:
        return self.terms

    async def history(
        self,
        project: str,
        *,
        authorization: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[HistoryEntry]:
        self._note("history", project, authorization, since, before, limit)
        older = [it for it in self.entries if before is None or it.seq < before]
        return older[:limit]

    async def poll_now(self, project: str) -> ProjectSnapshot:
        self._note("poll_now", project)
        await asyncio.sleep(self.poll_seconds)
        snapshot = self.snapshot(project)
        self.known[project] = replace(snapshot, attempted_at=NOW)
        return self.known[project]

    def _note(self, *call: object) -> None:
        self.asked.append(call)
        if self.fault:
            raise self.fault


def put_examples(fleet: FleetOffice) -> None:
    """Three projects: one that is seen well, one with odd authorizations, one that is blind."""
    overdue = authorization_of("gh-main", Status.OVERDUE)
    odd = replace(authorization_of(HOSTILE), updated_at=TimestampFault.ZERO, repo_user="Ann")
    fleet.put(
        snapshot_of(project_of("payments", team="pay"), authorization_of("gh-side"), overdue),
        snapshot_of(project_of("billing"), odd, findings=[finding_of(HOSTILE, "stale")]),
        blind_of(project_of("prod/eu-west-101")),
    )
