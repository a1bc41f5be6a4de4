"""`hooks list|test|render`: what is configured, tried out, or only shown."""

from __future__ import annotations

import asyncio

import click

from auditd.cli import state
from auditd.cli.exits import Exit, stop
from auditd.cli.listing import Column, print_listing, printable
from auditd.cli.state import Place
from auditd.daemon.hook_rendering import render
from auditd.daemon.hook_trial import send_test
from auditd.daemon.state_access import HookStanding, standings
from auditd.daemon.watch import UnusableSettingError
from auditd.hooks.port import HookError
from auditd.store.errors import StoreError
from auditd.store.reader import StateAbsentError, open_reader

_COLUMNS: tuple[Column[HookStanding], ...] = (
    Column("HOOK", lambda hook: hook.name, is_whole=True),
    Column("TYPE", lambda hook: hook.type or "(not configured)"),
    Column("PENDING", lambda hook: str(hook.pending)),
    Column("DEAD", lambda hook: str(hook.dead)),
    Column("SWITCHED OFF", lambda hook: hook.switched_off or "-"),
)


@click.group("hooks")
def command() -> None:
    """List the configured hooks, try one out, or show what it would send."""


@command.command("list")
@state.at_place
@state.output_format
def list_hooks(place: Place, *, output_format: str) -> None:
    """List the configured hooks and what they are owed."""
    try:
        with open_reader(place.url) as reader:
            hooks = standings(place.settings, reader)
    except StateAbsentError:
        hooks = standings(place.settings, None)  # before the first start nothing is owed
    except StoreError as error:
        stop(Exit.STORAGE, str(error))
    print_listing(hooks, _COLUMNS, output_format=output_format)


@command.command("render")
@click.argument("name")
@state.at_place
def render_hook(place: Place, name: str) -> None:
    """Show what the hook NAME would send of a test alert, without the network.

    The payload goes to standard output. Address and headers, without secrets, go to standard
    error.
    """
    try:
        renderings = asyncio.run(render(place.settings, place.catalog, name))
    except UnusableSettingError as error:
        stop(Exit.USAGE, str(error))
    except HookError as error:
        stop(Exit.FINDINGS, str(error))
    for rendering in renderings:
        for line in rendering.head:
            click.echo(line, err=True)
        click.echo(rendering.payload)


@command.command("test")
@click.argument("name")
@state.at_place
def test_hook(place: Place, name: str) -> None:
    """Send a test alert, and its end, to the hook NAME and say what came back.

    Exit codes: 0 both were taken; 1 one was not; 2 bad usage or configuration.
    """
    try:
        is_taken = asyncio.run(_test(place, name))
    except UnusableSettingError as error:
        stop(Exit.USAGE, str(error))
    raise SystemExit(Exit.FINE if is_taken else Exit.FINDINGS)


async def _test(place: Place, name: str) -> bool:
    """Whether all that was sent was taken."""
    is_taken = True
    async for attempt in send_test(place.settings, place.catalog, name):
        verdict = "taken" if attempt.is_taken else "not taken"
        seconds = f"{attempt.duration_seconds:.2f} s"
        click.echo(f"{attempt.status}: {verdict} after {seconds}")
        for words in attempt.words:
            click.echo(f"  {printable(words)}")
        is_taken &= attempt.is_taken
    return is_taken
