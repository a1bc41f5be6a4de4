import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from auditd.audit.authorization import Authorization, Status
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.report.model import Report
from auditd.report.table import print_table


def printed(report: Report, *, width: int = 80, colour: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        _environ={},
    )
    print_table(report, console)
    return file.getvalue()


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_fine_report_says_so_plainly(fine: Report) -> None:
    assert printed(fine) == "2 projects, 2 authorizations, no findings\n"


def test_one_of_each_is_counted_in_the_singular(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
) -> None:
    report = report_of(seen("p", authorize(status=Status.OVERDUE)))
    assert printed(report).endswith("1 project, 1 authorization, 1 finding (1 critical)\n")


def test_findings_failures_and_counts_are_printed_in_this_order(troubled: Report) -> None:
    lines = printed(troubled, width=160).splitlines()
    assert [line.rstrip() for line in lines] == [
        "SEVERITY  PROJECT   AUTHORIZATION  CHECK      AGE  SUMMARY",
        (
            "critical  payments  gl             overdue    91d  "
            "gitlab authorization gl is overdue; re-authorize it"
        ),
        (
            "warning   lab       old            timestamp  -    "
            "github authorization old has times that cannot be right: update time missing"
        ),
        (
            "warning   payments  gl             stale      91d  gitlab authorization gl was last"
            " renewed 2026-03-02T12:00:00Z; the limit is 90d"
        ),
        "far could not be polled (timeout): no answer within 30s",
        "3 projects, 3 authorizations, 3 findings (1 critical, 2 warning), 1 project not polled",
    ]


def test_at_eighty_columns_nothing_is_cut_and_nothing_is_wider(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
) -> None:
    name, project = "a" * 63, "payments-of-the-eastern-region"
    text = printed(report_of(seen(project, authorize(name=name, status=Status.OVERDUE))))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert text.count("a") > 63


def test_the_severity_is_coloured_on_a_terminal_that_can(troubled: Report) -> None:
    text = printed(troubled, colour=True)
    assert "\x1b[1;31mcritical\x1b[0m" in text
    assert "\x1b[33mwarning" in text


def test_without_colour_there_are_no_escapes(troubled: Report) -> None:
    assert "\x1b" not in printed(troubled)


def test_brackets_in_foreign_texts_are_no_markup(
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    unseen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
) -> None:
    overdue = authorize(name="[/]", status=Status.OVERDUE)
    text = printed(report_of(seen("[b]p[/b]", overdue), unseen("q", "[red]no[/red]")), width=200)
    assert "[b]p[/b]" in text
    assert "authorization [/] is overdue" in text
    assert "[red]no[/red]" in text


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=59, milliseconds=999), "59s"),
        (timedelta(days=1) - timedelta(milliseconds=1), "23h59m59s"),
        (timedelta(days=1), "1d"),
        (timedelta(days=400, hours=23), "400d"),
    ],
)
def test_ages_are_whole_days_from_one_day_on(
    *,
    report_of: Callable[..., Report],
    seen: Callable[..., ProjectSnapshot],
    authorize: Callable[..., Authorization],
    fine: Report,
    age: timedelta,
    shown: str,
) -> None:
    authorization = authorize(
        status=Status.UNAUTHENTICATED, created_at=fine.at - age, updated_at=fine.at - age
    )
    line = printed(report_of(seen("p", authorization)), width=200).splitlines()[1]
    assert line.split()[4] == shown


def test_what_the_baseline_knows_is_counted_and_not_shown(troubled: Report) -> None:
    known = frozenset(
        (row.project, row.check, row.authorization, row.severity) for row in troubled.new
    )
    report = replace(troubled, baseline=known - {("payments", "overdue", "gl", Severity.CRITICAL)})
    text = printed(report, width=200)
    assert "overdue" in text
    assert "stale" not in text
    assert words(text).endswith(
        "1 new finding (1 critical), 2 known from the baseline, 1 project not polled"
    )
    assert "no new findings, 3 known" in printed(replace(troubled, baseline=known), width=200)
