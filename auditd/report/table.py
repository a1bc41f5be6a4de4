"""For people at a terminal."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditd.audit.duration import format_duration
from auditd.audit.finding import Severity
from auditd.report.counts import count_line
from auditd.report.model import Report, Row

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def print_table(report: Report, console: Console) -> None:
    """What is new, worst first, then what could not be polled, then the counts.

    Every word is there without colour, and none is cut: cells wrap within the width of the
    console, the other lines are left to it.
    """
    if rows := report.new:
        console.print(_findings(rows))
    for snapshot in report.failed_projects:
        console.print(
            Text.assemble(
                (snapshot.project.name, "bold red"),
                f" could not be polled ({snapshot.failure}): {snapshot.failure_message}",
            ),
            soft_wrap=True,
        )
    console.print(Text(count_line(report), style="bold"), soft_wrap=True)


def _findings(rows: tuple[Row, ...]) -> Table:
    """Foreign texts are Text, so that brackets in them are no markup."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("SEVERITY", "PROJECT", "AUTHORIZATION", "CHECK", "AGE", "SUMMARY"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(
            Text(row.severity, style=STYLES[row.severity]),
            Text(row.project),
            Text(row.authorization),
            Text(row.check),
            Text(_age(row.age)),
            Text(row.summary),
        )
    return table


def _age(age: timedelta | None) -> str:
    """Whole days from one day on; nothing when the age is unknown."""
    if age is None:
        return "-"
    return format_duration(age - age % (_DAY if age >= _DAY else _SECOND))
