"""`check`: poll everything once, print what was found, and say it in the exit code."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from auditd import __version__
from auditd.audit.events import Event
from auditd.audit.finding import Severity
from auditd.audit.project import Project
from auditd.cli import options
from auditd.cli.exits import Exit, stop
from auditd.cli.loading import load_or_stop
from auditd.cli.output import open_console
from auditd.cli.poll_progress import PollProgress
from auditd.config.settings import Catalog, Settings
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.once import DiscoveryError, find_projects, poll_once
from auditd.daemon.watch import open_watch, utc_now
from auditd.report import csv, json, junit, sarif, table
from auditd.report.baseline import read_baseline
from auditd.report.model import Identity, Report
from auditd.telemetry.exposition import render_snapshots
from auditd.telemetry.poll_counts import PollCounts
from auditd.telemetry.series import Checks

_FORMATS = ("table", "json", "csv", "junit", "sarif", "prometheus")


@click.command("check")
@options.config_file
@click.option(
    "--format",
    "output_format",
    type=click.Choice(_FORMATS),
    default="table",
    show_default=True,
)
@click.option(
    "--fail-on",
    type=click.Choice([severity.value for severity in reversed(Severity)]),
    default=Severity.WARNING.value,
    show_default=True,
    help="Exit with 1 when there is a finding of this severity or a higher one.",
)
@click.option(
    "--baseline",
    "baseline_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A former report of --format=json; only what is new counts.",
)
@click.option(
    "--project",
    "only",
    multiple=True,
    metavar="NAME",
    help="Poll only this project. May be given several times.",
)
def command(
    config_file: Path,
    *,
    output_format: str,
    fail_on: str,
    baseline_file: Path | None,
    only: tuple[str, ...],
) -> None:
    """Poll each project once, print what was found, and exit.

    Exit codes: 0 nothing at or above --fail-on; 1 something is; 2 bad usage or configuration;
    3 a project could not be polled, so that its silence means nothing.
    """
    settings, catalog = load_or_stop(config_file)
    try:
        baseline = read_baseline(baseline_file) if baseline_file else frozenset()
        checked = asyncio.run(_check(settings, catalog, only, baseline))
    except ValueError as error:
        stop(Exit.USAGE, str(error))
    except UnusableSettingError as error:
        stop(Exit.USAGE, str(error))
    except DiscoveryError as error:
        stop(Exit.BLIND, str(error))
    if output_format == "table":
        table.print_table(checked.report, open_console())
    else:
        click.echo(_RENDERERS[output_format](checked), nl=False)
    raise SystemExit(_exit_code(checked.report, Severity(fail_on)))


@dataclass(frozen=True, slots=True)
class _Checked:
    """A report, and what only one format needs beside it."""

    report: Report
    counts: PollCounts
    severities: Checks
    max_series: int

    def metrics(self) -> str:
        return render_snapshots(
            self.report.snapshots, self.severities, self.counts, max_series=self.max_series
        )


_RENDERERS: Mapping[str, Callable[[_Checked], str]] = {
    "json": lambda checked: json.render(checked.report),
    "csv": lambda checked: csv.render(checked.report),
    "junit": lambda checked: junit.render(checked.report),
    "sarif": lambda checked: sarif.render(checked.report),
    "prometheus": _Checked.metrics,
}


async def _check(
    settings: Settings, catalog: Catalog, only: Collection[str], baseline: frozenset[Identity]
) -> _Checked:
    counts = PollCounts()

    def emit(event: Event) -> None:
        counts.count(event)
        progress.tell(event)

    with PollProgress(Console(stderr=True), utc_now) as progress:
        async with open_watch(settings, catalog, emit=emit) as watch:
            projects = _select(await find_projects(watch), only)
            progress.begin(len(projects))
            snapshots = await poll_once(watch, projects, progress.advance)
        report = Report(
            snapshots=snapshots,
            checks=watch.policy.checks,
            at=utc_now(),
            tool_version=__version__,
            baseline=baseline,
        )
        return _Checked(report, counts, watch.policy.severities, settings.global_.max_series)


def _select(projects: Sequence[Project], only: Collection[str]) -> Sequence[Project]:
    names = [project.name for project in projects]
    for name in only:
        if name not in names:
            nearest = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
            msg = f"--project: there is no project {name!r}{hint}"
            raise ValueError(msg)
    return [project for project in projects if not only or project.name in only]


def _exit_code(report: Report, fail_on: Severity) -> Exit:
    if report.failed_projects:
        return Exit.BLIND
    if report.worst is not None and report.worst.rank >= fail_on.rank:
        return Exit.FINDINGS
    return Exit.FINE
