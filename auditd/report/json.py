"""For programs, and for the next `--baseline`.

The format is described by `schema.json` beside this file. Keys are added within one `version`
and never taken away.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from auditd.audit.finding import Severity
from auditd.audit.instant import format_instant
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.model import Report, Row

FORMAT = "servicestage-auditd/report"
VERSION = 1


def render(report: Report) -> str:
    """One object, in ASCII. `findings` is what is new, `known_findings` what the baseline had.

    Both are there, so that this report can be the next baseline.
    """
    new, known = report.new, report.known
    document = {
        "format": FORMAT,
        "version": VERSION,
        "tool_version": report.tool_version,
        "generated_at": format_instant(report.at),
        "counts": {
            "projects": len(report.snapshots),
            "failed_projects": len(report.failed_projects),
            "authorizations": report.authorizations,
            "findings": _by_severity(new),
            "known_findings": _by_severity(known),
        },
        "projects": [_project(snapshot) for snapshot in report.projects],
        "findings": [_finding(row) for row in new],
        "known_findings": [_finding(row) for row in known],
    }
    return json.dumps(document, indent=2) + "\n"


def _by_severity(rows: tuple[Row, ...]) -> dict[str, int]:
    counts = Counter(row.severity for row in rows)
    return {severity.value: counts[severity] for severity in reversed(Severity)}


def _project(snapshot: ProjectSnapshot) -> dict[str, Any]:
    return {
        "project": snapshot.project.name,
        "project_id": snapshot.project.project_id,
        "region": snapshot.project.region,
        "authorizations": (
            None if snapshot.authorizations is None else len(snapshot.authorizations)
        ),
        "failure": (
            None
            if snapshot.failure is None
            else {"reason": snapshot.failure, "message": snapshot.failure_message}
        ),
    }


def _finding(row: Row) -> dict[str, Any]:
    return {
        "project": row.project,
        "authorization": row.authorization,
        "repo_type": row.repo_type,
        "token_type": row.token_type,
        "check": row.check,
        "severity": row.severity,
        "status": row.status,
        "age_seconds": None if row.age is None else row.age.total_seconds(),
        "summary": row.summary,
    }
