"""For GitHub code scanning and other readers of SARIF 2.1.0.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and for what GitHub
asks beyond it https://docs.github.com/en/code-security/reference/code-scanning/sarif-files
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from auditd.audit.finding import Severity
from auditd.audit.instant import format_instant
from auditd.audit.policy import Check
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.model import Report, Row

_LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(report: Report) -> str:
    """One run, in ASCII: a rule for each check, a result for each new finding.

    Failed polls are notifications of the tool, and make the run unsuccessful.
    """
    run = {
        "tool": {
            "driver": {
                "name": "servicestage-auditd",
                "version": report.tool_version,
                "rules": [_rule(check) for check in report.checks],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not report.failed_projects,
                "endTimeUtc": format_instant(report.at),
                "toolExecutionNotifications": [
                    _notification(snapshot) for snapshot in report.failed_projects
                ],
            }
        ],
        "results": [_result(row) for row in report.new],
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2) + "\n"


def _rule(check: Check) -> dict[str, Any]:
    text = {"text": check.description}
    return {
        "id": check.name,
        "name": check.alertname,
        "shortDescription": text,
        "fullDescription": text,
        "help": text,
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
    }


def _result(row: Row) -> dict[str, Any]:
    return {
        "ruleId": row.check,
        "level": _LEVELS[row.severity],
        "message": {"text": row.summary},
        "locations": [_location(row.project, row.authorization)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(row)},
        "properties": {
            "project": row.project,
            "authorization": row.authorization,
            "repo_type": row.repo_type,
            "token_type": row.token_type,
            "status": row.status,
        },
    }


def _notification(snapshot: ProjectSnapshot) -> dict[str, Any]:
    return {
        "descriptor": {"id": f"poll/{snapshot.failure}"},
        "level": "error",
        "message": {"text": f"{snapshot.project.name}: {snapshot.failure_message}"},
        "locations": [_location(snapshot.project.name)],
    }


def _location(*names: str) -> dict[str, Any]:
    """A project, or an authorization in one.

    There is no file, but GitHub refuses a whole upload ("expected a physical location") in
    which a location is only logical; a relative path that does not exist is accepted.
    """
    return {
        "physicalLocation": {
            "artifactLocation": {
                "uri": "/".join(["servicestage", *(quote(name, safe="") for name in names)])
            },
            "region": {"startLine": 1},
        },
        "logicalLocations": [
            {"fullyQualifiedName": "/".join(names), "name": names[-1], "kind": "resource"}
        ],
    }


def _fingerprint(row: Row) -> str:
    """The same finding has the same one in every run, whatever its severity.

    Under the only key that GitHub compares; it would compute it from the file that is not there.
    """
    identity = f"{row.project}\0{row.check}\0{row.authorization}"
    return hashlib.sha256(identity.encode()).hexdigest()
