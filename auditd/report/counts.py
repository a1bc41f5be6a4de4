"""The one line that says how it went."""

from __future__ import annotations

from collections import Counter

from auditd.audit.finding import Severity
from auditd.report.model import Report


def count_line(report: Report) -> str:
    """For example `3 projects, 12 authorizations, no findings`.

    With findings their number by severity follows, worst first; then what was known, and how
    many projects could not be polled.
    """
    parts = [
        counted(len(report.snapshots), "project"),
        counted(report.authorizations, "authorization"),
        _findings(report),
    ]
    if known := len(report.known):
        parts.append(f"{known} known from the baseline")
    if failed := len(report.failed_projects):
        parts.append(f"{counted(failed, 'project')} not polled")
    return ", ".join(parts)


def _findings(report: Report) -> str:
    new = "new " if report.known else ""
    severities = Counter(row.severity for row in report.new)
    if not severities:
        return f"no {new}findings"
    each = [f"{severities[it]} {it}" for it in reversed(Severity) if severities[it]]
    return f"{counted(severities.total(), f'{new}finding')} ({', '.join(each)})"


def counted(number: int, noun: str) -> str:
    """A number with its noun, for one or for many."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
