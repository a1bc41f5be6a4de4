"""`discover`: the projects that the configured credentials can see."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditd.cli import options
from auditd.cli.exits import Exit, stop
from auditd.cli.loading import load_or_stop
from auditd.cli.output import open_console
from auditd.cli.poll_progress import PollProgress
from auditd.config.settings import Catalog, Settings
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.sight import Sight, look_around
from auditd.daemon.watch import open_watch, utc_now


@click.command("discover")
@options.config_file
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
)
def command(config_file: Path, *, output_format: str) -> None:
    """List the projects that each configured credential can see.

    Every credential is asked, whether or not the configuration discovers with it. Exit codes:
    0 all answered; 2 bad usage or configuration; 3 some credential could not ask.
    """
    settings, catalog = load_or_stop(config_file)
    try:
        sight = asyncio.run(_look(settings, catalog))
    except UnusableSettingError as error:
        stop(Exit.USAGE, str(error))
    if output_format == "json":
        click.echo(json.dumps([asdict(project) for project in sight.projects], indent=2))
    else:
        open_console().print(_table(sight))
    if sight.problems:
        stop(Exit.BLIND, "\n".join(sight.problems))


async def _look(settings: Settings, catalog: Catalog) -> Sight:
    with PollProgress(Console(stderr=True), utc_now) as progress:
        async with open_watch(settings, catalog, emit=progress.tell) as watch:
            return await look_around(watch)


def _table(sight: Sight) -> Table:
    """One line a project where there is room; an id is never cut, for people copy it."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("CREDENTIAL", "PROJECT", "PROJECT ID", "REGION", "NOTE"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "PROJECT ID")
    for project in sight.projects:
        cells = (project.credential, project.name, project.project_id, project.region, project.note)
        table.add_row(*(Text(cell) for cell in cells))
    return table
