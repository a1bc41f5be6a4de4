"""Which series one project has, but for those of its authorizations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeAlias

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry import families
from auditd.telemetry.column import Column, Facts, line, steady
from auditd.telemetry.family import Family
from auditd.telemetry.label import escaped
from auditd.telemetry.number import instant_text
from auditd.telemetry.run import Run

Checks: TypeAlias = Mapping[str, Collection[Severity]]
"""The name of each enabled check -> the severities that its findings can have."""

_NO_CHECKS: Checks = {}
"""Zeros only for a project that was listed: of any other nothing is known to be well."""
_NOT_IN_A_LABEL_NAME = re.compile(r"[^a-zA-Z0-9_]")


def project_columns(checks: Callable[[], Checks]) -> list[Column]:
    """What the snapshots tell. `checks` are the enabled ones."""
    enabled_checks = steady(checks)

    def findings(run: Run) -> Facts:
        enabled = enabled_checks()
        return (
            [one.findings for one in run],
            [_NO_CHECKS if one.authorizations is None else enabled for one in run],
        )

    return [
        Column(families.AUTHORIZATIONS, _each(attrgetter("authorizations")), _statuses),
        Column(families.PROJECT_INFO, _each(attrgetter("project")), _info),
        Column(
            families.PROJECT_UP,
            _each(lambda one: one.is_up if one.attempted_at else None),
            lambda project, is_up: line(families.PROJECT_UP, project, is_up),
        ),
        _instant(families.PROJECT_LAST_SUCCESS, attrgetter("succeeded_at")),
        _instant(families.PROJECT_LAST_ATTEMPT, attrgetter("attempted_at")),
        Column(
            families.PROJECT_POLL_INTERVAL,
            _each(attrgetter("project.poll_interval")),
            lambda project, interval: line(
                families.PROJECT_POLL_INTERVAL, project, interval.total_seconds()
            ),
        ),
        Column(families.FINDINGS, findings, _findings),
    ]


def _each(fact: Callable[[ProjectSnapshot], Any]) -> Callable[[Run], Facts]:
    return lambda run: ([*map(fact, run)],)


def _instant(family: Family, at: Callable[[ProjectSnapshot], datetime | None]) -> Column:
    sample_name = family.sample_name
    return Column(
        family, _each(at), lambda project, at: f"{sample_name}{{{project}}} {instant_text(at)}\n"
    )


def _info(project_label: str, project: Project) -> str:
    labels = {
        "label_" + _NOT_IN_A_LABEL_NAME.sub("_", name): value for name, value in project.labels
    }
    labels |= {"huawei_region": project.region, "project_id": project.project_id}
    pairs = [(name, f'{name}="{escaped(value)}"') for name, value in labels.items()]
    pairs.append(("project", project_label))
    return line(families.PROJECT_INFO, ",".join(pair for _, pair in sorted(pairs)), 1.0)


def _statuses(project: str, authorizations: Mapping[str, Authorization]) -> str:
    counts = Counter(one.status for one in authorizations.values())
    return "".join(
        line(families.AUTHORIZATIONS, f'{project},status="{status.value}"', counts[status])
        for status in Status
    )


def _findings(project: str, findings: tuple[Finding, ...], checks: Checks) -> str:
    known = ((check, severity.value) for check in checks for severity in checks[check])
    counts = Counter(dict.fromkeys(known, 0))
    counts.update((finding.check, finding.severity.value) for finding in findings)
    return "".join(
        line(
            families.FINDINGS,
            f'check="{escaped(check)}",{project},severity="{severity}"',
            count,
        )
        for (check, severity), count in counts.items()
    )
