import csv
import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.csv import render
from auditd.report.model import Report

HEADER = "project,authorization,repo_type,token_type,check,severity,status,age_seconds,summary\r\n"


def test_a_fine_report_is_a_header_alone(fine: Report) -> None:
    assert render(fine) == HEADER


def test_findings_then_failed_projects_are_lines(troubled: Report) -> None:
    assert render(troubled) == (
        HEADER
        + "payments,gl,gitlab,personal,overdue,critical,overdue,7862400,"
        + "gitlab authorization gl is overdue; re-authorize it\r\n"
        + "lab,old,github,oauth,timestamp,warning,normal,,"
        + "github authorization old has times that cannot be right: update time missing\r\n"
        + "payments,gl,gitlab,personal,stale,warning,overdue,7862400,gitlab authorization gl was"
        + " last renewed 2026-03-02T12:00:00Z; the limit is 90d\r\n"
        + "far,,,,poll,,failed,,timeout: no answer within 30s\r\n"
    )


def test_what_the_baseline_knows_is_left_out(troubled: Report) -> None:
    baseline = frozenset({("payments", "overdue", "gl", Severity.CRITICAL)})
    assert "critical" not in render(replace(troubled, baseline=baseline))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_formula_is_made_inert(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
    start: str,
) -> None:
    name = f'{start}HYPERLINK("http://evil.example")'
    text = render(report_of(seen("p", authorize(name=name, status=Status.OVERDUE))))
    _, row = csv.reader(io.StringIO(text, newline=""))
    assert row[1] == f"'{name}"


@given(name=st.text(), message=st.text())
def test_any_text_is_read_back_as_it_was_or_inert(
    *,
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    unseen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
    name: str,
    message: str,
) -> None:
    overdue = authorize(name=name, status=Status.OVERDUE)
    text = render(report_of(seen("p", overdue), unseen("q", message)))
    _, finding, failure = csv.reader(io.StringIO(text, newline=""))
    assert finding[1] in {name, f"'{name}"}
    assert failure[8] == f"timeout: {message}"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in finding + failure)
