"""`replay`: what another configuration would have alerted on, from the recorded past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import click

from auditd.cli import state
from auditd.cli.exits import Exit, stop
from auditd.cli.options import DurationType
from auditd.cli.output import open_console
from auditd.cli.state import Place
from auditd.config.problem import ConfigError
from auditd.daemon.record import Window
from auditd.daemon.replay import replay_record
from auditd.daemon.watch import utc_now
from auditd.report.replay import Replay, render_csv, render_json
from auditd.report.replay_table import print_replay

_RENDERERS: Mapping[str, Callable[[Replay], str]] = {"json": render_json, "csv": render_csv}


@click.command("replay")
@state.at_place
@click.option(
    "--since",
    type=DurationType(),
    default="30d",
    show_default=True,
    help="From how long ago on, for example 12h or 30d.",
)
@click.option("--until", type=DurationType(), help="To how long ago; to now when left out.")
@click.option(
    "--project",
    "only",
    multiple=True,
    metavar="NAME",
    help="Only this project. May be given several times.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="How many rows the table has at most; the other formats have all.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", *_RENDERERS]),
    default="table",
    show_default=True,
)
def command(
    place: Place,
    *,
    since: timedelta,
    until: timedelta | None,
    only: tuple[str, ...],
    limit: int,
    output_format: str,
) -> None:
    """Show what this configuration would have alerted on, beside what was alerted on.

    Reads what the daemon recorded, also while it runs, and asks nothing of the network. Give a
    changed copy of the daemon's file, with its storage.url, to see what the change would have
    meant. Routes, silences and hooks are not looked at: this is about what fires.

    What the daemon had no check for can only be told from the lists: which names were listed
    twice, and which credentials were broken, is known only where `duplicate` and `broken` ran.
    """
    now = utc_now()
    window = Window(now - since, now - until if until else now, frozenset(only))
    if window.since >= window.until:
        stop(Exit.USAGE, "--until must be shorter ago than --since")
    with place.reading() as reader:
        try:
            replay = replay_record(place.settings, place.catalog, reader, window)
        except (ConfigError, ValueError) as error:
            stop(Exit.USAGE, str(error))
    if output_format == "table":
        print_replay(replay, open_console(), limit)
    else:
        click.echo(_RENDERERS[output_format](replay), nl=False)
