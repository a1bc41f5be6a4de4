"""The command line: one file a command. It owns flags, exit codes and what is printed."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from types import FrameType

import click
from click.shell_completion import CompletionItem

from auditd import __version__
from auditd.cli.imports import swift_imports

_COMMANDS = {
    "run": "Poll every project on its schedule until SIGTERM or SIGINT.",
    "check": "Poll each project once, print what was found, and exit.",
    "config": "Validate a configuration; print its schema or an example.",
    "discover": "List the projects that each configured credential can see.",
    "hooks": "List the configured hooks, switch one on, try one out, or show what it would send.",
    "alerts": "List alerts, acknowledge one, or get the address where one is mended.",
    "silences": "List silences, add one, or end one.",
    "deliveries": "Show what hooks were owed and what became of it; owe dead ones again.",
    "audit": "Show, verify or export the trail of what happened.",
    "storage": "Bring the state from one database to another.",
    "replay": "Show what this configuration would have alerted on, beside what was alerted on.",
    "simulate": "Stand in for ServiceStage and IAM, for trials, tests and dry runs.",
    "demo": "Run simulator and daemon in one process: no configuration, no cloud account.",
    "completion": "Print the script that makes a shell complete this command.",
    "version": "Print the versions of this program and of what it stands on.",
}
"""What each is for, as its own help begins: to say so nothing is imported."""
_HIDDEN = frozenset({"man"})
"""For those who make packages."""
_DAEMONS = frozenset({"run", "simulate", "demo"})


class _Index(click.Group):
    """Commands in the order in which they were given."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


class _LazyGroup(click.Group):
    """Imports a command when it is asked for: `version` must not wait for the cloud's SDK."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS.keys() | _HIDDEN:
            return None
        command = import_module(f"auditd.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - an invariant of this package
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _index().format_commands(ctx, formatter)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        own = click.Command.shell_complete(self, ctx, incomplete)
        return [*_index().shell_complete(ctx, incomplete), *own]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _DAEMONS:
            return super().resolve_command(ctx, args)
        # Loading takes its time, and a stop that comes meanwhile is no failure either.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        with swift_imports():
            return super().resolve_command(ctx, args)


def _index() -> _Index:
    """Stands for the commands where only their names and their help are asked for."""
    commands = [click.Command(name, help=text) for name, text in _COMMANDS.items()]
    return _Index(commands=commands, add_help_option=False)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Nothing has begun that would have to be brought to an end."""
    os._exit(0)


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="servicestage-auditd")
def main() -> None:
    """Watch the Git repository authorizations of Huawei Cloud ServiceStage.

    They lapse in silence: nothing fails until the next build does. This program lists them for
    every project on a schedule and tells what is overdue, unauthenticated or stale.

    Exit codes: 0 fine; 1 findings at or above --fail-on, or a failed test; 2 bad usage or
    configuration; 3 a project could not be polled; 4 the storage is held or damaged.
    """
