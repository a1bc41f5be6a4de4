"""`hooks list|enable|test|render`: what is configured, switched on, tried out, or only shown."""

from __future__ import annotations

import asyncio

import click

from auditd.cli import state
from auditd.cli.exits import Exit, stop
from auditd.cli.listing import Column, print_listing, printable
from auditd.cli.state import Place
from auditd.config.suggestion import did_you_mean
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.hook_rendering import render
from auditd.daemon.hook_trial import send_test
from auditd.daemon.running import RunningDaemon
from auditd.daemon.state_access import HookStanding, enable_stored, standings
from auditd.hooks.port import HookError
from auditd.store.errors import StoreError, StoreHeldError
from auditd.store.reader import StateAbsentError, open_reader

_COLUMNS: tuple[Column[HookStanding], ...] = (
    Column("HOOK", lambda hook: hook.name, is_whole=True),
    Column("TYPE", lambda hook: hook.type or "(not configured)"),
    Column("PENDING", lambda hook: str(hook.pending)),
    Column("DEAD", lambda hook: str(hook.dead)),
    Column("STATE", lambda hook: f"off: {hook.switched_off}" if hook.switched_off else "on"),
)


@click.group("hooks")
def command() -> None:
    """List the configured hooks, switch one on, try one out, or show what it would send."""


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


@command.command("enable")
@click.argument("name")
@state.at_place
@state.web_url
def enable_hook(place: Place, name: str, *, web_url: str) -> None:
    """Tell the hook NAME again what it is owed, after its receiver had it switched off.

    The running daemon does it. When none runs it is noted for the next one: run this as the
    daemon's user then.
    """
    with place.reading() as reader:
        reader.require_sound()  # so that nothing is made or repaired by this
        hooks = {hook.name: hook for hook in standings(place.settings, reader) if hook.type}
    if name not in hooks:
        stop(Exit.USAGE, f"there is no hook {name!r} in alerting.hooks{did_you_mean(name, hooks)}")
    if not hooks[name].switched_off:
        click.echo(f"{name} is on")
        return
    try:
        asyncio.run(enable_stored(place.settings, place.url, name))
    except StoreHeldError:
        place.ask(RunningDaemon(web_url).enable_hook(name))
        click.echo(f"{name} is on again: the daemon sends what it is owed")
    except StoreError as error:
        stop(Exit.STORAGE, str(error))
    else:
        click.echo(f"{name} is on again: the daemon sends what it is owed when it is started")


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
