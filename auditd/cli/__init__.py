"""The command line: one file a command. It owns flags, exit codes and what is printed."""

from __future__ import annotations

import os
import signal
from importlib import import_module
from types import FrameType

import click

from auditd import __version__

_COMMANDS = (
    "run",
    "check",
    "config",
    "discover",
    "hooks",
    "alerts",
    "silences",
    "deliveries",
    "audit",
    "simulate",
    "demo",
    "version",
)
_DAEMONS = frozenset({"run", "simulate", "demo"})


class _LazyGroup(click.Group):
    """Imports a command when it is asked for: `version` must not wait for the cloud's SDK."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"auditd.cli.{cmd_name}").command
        assert isinstance(command, click.Command)  # noqa: S101 - an invariant of this package
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in _DAEMONS:
            # Loading takes its time, and a stop that comes meanwhile is no failure either.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _end)
        return super().resolve_command(ctx, args)


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
