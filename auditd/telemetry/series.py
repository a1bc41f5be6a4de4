"""Which series one project has, from the last that is known of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from auditd.audit.authorization import Authorization, Status, known_time
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict
from auditd.telemetry import families
from auditd.telemetry.families import Family

Series: TypeAlias = tuple[Family, dict[str, str], float]
"""What it belongs to, its labels, its value."""

Checks: TypeAlias = Mapping[str, Collection[Severity]]
"""The name of each enabled check -> the severities that its findings can have."""

LABEL_LIMIT = 200
"""Characters of a label's value. The rest is cut off."""

_REPO_TYPES = frozenset({"devcloud", "gitee", "github", "gitlab", "bitbucket"})
_VERIFIED = {Verdict.WORKS: 1.0, Verdict.BROKEN: 0.0}
_NOT_IN_A_LABEL_NAME = re.compile(r"[^a-zA-Z0-9_]")


def label_value(text: str) -> str:
    """Foreign text as a label may hold it: at most 200 characters, all of which UTF-8 has."""
    cut = text[:LABEL_LIMIT]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode()


def authorization_series(snapshot: ProjectSnapshot, authorization: Authorization) -> list[Series]:
    """The five to nine series of one authorization of the project."""
    labels = {
        "project": label_value(snapshot.project.name),
        "authorization": label_value(authorization.name),
    }
    verification = snapshot.verifications.get(authorization.name)
    instants = (
        (families.AUTHORIZATION_CREATED, known_time(authorization.created_at)),
        (families.AUTHORIZATION_UPDATED, known_time(authorization.updated_at)),
        (families.AUTHORIZATION_STALE, snapshot.stale_at.get(authorization.name)),
    )
    series: list[Series] = [
        (families.AUTHORIZATION_INFO, labels | _description(authorization), 1.0)
    ]
    series += (
        (families.AUTHORIZATION_STATUS, {**labels, "status": status.value}, status is current)
        for current in (authorization.status,)
        for status in Status
    )
    series += ((family, labels, at.timestamp()) for family, at in instants if at)
    if verification and verification.verdict in _VERIFIED:
        series.append((families.AUTHORIZATION_VERIFIED, labels, _VERIFIED[verification.verdict]))
    return series


def project_series(snapshot: ProjectSnapshot, checks: Checks) -> Iterator[Series]:
    """The series of the project itself, but for what is counted."""
    project = snapshot.project
    labels = {"project": label_value(project.name)}
    configured = {
        "label_" + _NOT_IN_A_LABEL_NAME.sub("_", name): label_value(value)
        for name, value in project.labels
    }
    place = {"project_id": project.project_id, "huawei_region": project.region}
    yield families.PROJECT_INFO, {**labels, **place, **configured}, 1.0
    if snapshot.attempted_at:
        yield families.PROJECT_LAST_ATTEMPT, labels, snapshot.attempted_at.timestamp()
        yield families.PROJECT_UP, labels, snapshot.is_up
    if snapshot.succeeded_at:
        yield families.PROJECT_LAST_SUCCESS, labels, snapshot.succeeded_at.timestamp()
    if snapshot.authorizations is not None:
        statuses = Counter(one.status for one in snapshot.authorizations.values())
        for status in Status:
            value = statuses[status]
            yield families.AUTHORIZATIONS, {**labels, "status": status.value}, value
    for (check, severity), findings in _findings(snapshot, checks).items():
        yield families.FINDINGS, {**labels, "check": check, "severity": severity}, findings


def _description(authorization: Authorization) -> dict[str, str]:
    repo_type = authorization.repo_type
    return {
        "repo_type": repo_type if repo_type in _REPO_TYPES else "other",
        "repo_host": label_value(authorization.repo_host),
        "token_type": label_value(authorization.token_type),
        "tag": label_value(authorization.tag),
    }


def _findings(snapshot: ProjectSnapshot, checks: Checks) -> Counter[tuple[str, str]]:
    """Zeros only for a project that was listed: of any other nothing is known to be well."""
    counts: Counter[tuple[str, str]] = Counter()
    if snapshot.authorizations is not None:
        known = ((check, severity) for check in checks for severity in checks[check])
        counts.update(dict.fromkeys(((check, severity.value) for check, severity in known), 0))
    counts.update((finding.check, finding.severity.value) for finding in snapshot.findings)
    return counts
