"""`audit log|verify|export`: the trail of transitions, deliveries and what people did."""

from __future__ import annotations

import sys
from datetime import timedelta

import click

from auditd.cli import state
from auditd.cli.exits import Exit, stop
from auditd.cli.listing import Column, instant, print_listing
from auditd.cli.options import DurationType
from auditd.cli.state import Place
from auditd.daemon.watch import utc_now
from auditd.store.trail import TrailEntry, TrailKind


def _describe(entry: TrailEntry) -> str:
    return ", ".join(f"{name}={text}" for name, text in entry.detail.items()) or "-"


_COLUMNS: tuple[Column[TrailEntry], ...] = (
    Column("SEQ", lambda entry: str(entry.seq)),
    Column("AT", lambda entry: instant(entry.at), is_whole=True),
    Column("KIND", lambda entry: entry.kind),
    Column("SUBJECT", lambda entry: entry.subject),
    Column("DETAIL", _describe),
)


@click.group("audit")
def command() -> None:
    """Show, verify or export the trail of what happened."""


@command.command("log")
@state.at_place
@click.option("--since", type=DurationType(), help="Only the last while, for example 1h or 7d.")
@click.option(
    "--kind",
    "only",
    type=click.Choice([str(kind) for kind in TrailKind]),
    help="Only entries of this kind.",
)
@state.limit
@state.output_format
def log(
    place: Place, *, since: timedelta | None, only: str | None, limit: int, output_format: str
) -> None:
    """Show what happened, the newest first."""
    with place.reading() as reader:
        entries = reader.trail(
            since=utc_now() - since if since else None,
            kind=TrailKind(only) if only else None,
            limit=limit,
        )
    print_listing(entries, _COLUMNS, output_format=output_format)


@command.command("verify")
@state.at_place
def verify(place: Place) -> None:
    """Check that every entry is what was entered, by the chain of their hashes.

    Exit codes: 0 it is; 1 the entry that is named is not; 4 the state cannot be read.
    """
    with place.reading() as reader:
        verdict = reader.verify()
    if not verdict.ok:
        stop(Exit.FINDINGS, f"entry {verdict.first_bad_seq} {verdict.reason}")
    click.echo(f"{verdict.checked} entries are what was entered")


@command.command("export")
@state.at_place
def export(place: Place) -> None:
    """Print the whole trail as JSON lines with their hashes, the oldest first."""
    with place.reading() as reader:
        for line in reader.export():
            sys.stdout.buffer.write(line)
