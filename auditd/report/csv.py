"""For spreadsheets."""

from __future__ import annotations

import csv
import io

from auditd.report.model import Report, Row

_COLUMNS = (
    "project",
    "authorization",
    "repo_type",
    "token_type",
    "check",
    "severity",
    "status",
    "age_seconds",
    "summary",
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report) -> str:
    """A header, a line for each new finding, and a line for each project that was not polled.

    The latter has the check `poll`, the severity empty and the status `failed`, so that a
    project that was not seen is not missing either.
    A cell that a spreadsheet would run as a formula is preceded by an apostrophe.

    Source: RFC 4180; https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows([inert(cell) for cell in _cells(row)] for row in report.new)
    for snapshot in report.failed_projects:
        message = f"{snapshot.failure}: {snapshot.failure_message}"
        failure = (snapshot.project.name, "", "", "", "poll", "", "failed", "", message)
        writer.writerow([inert(cell) for cell in failure])
    return text.getvalue()


def _cells(row: Row) -> tuple[str, ...]:
    age_seconds = "" if row.age is None else f"{row.age.total_seconds():.0f}"
    return (
        row.project,
        row.authorization,
        row.repo_type,
        row.token_type,
        row.check,
        row.severity,
        row.status,
        age_seconds,
        row.summary,
    )


def inert(cell: str) -> str:
    """The cell, such that no spreadsheet runs it; see `render`."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
