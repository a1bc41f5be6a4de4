"""Exit codes, and how a command ends in one."""

from __future__ import annotations

from enum import IntEnum
from typing import NoReturn

import click


class Exit(IntEnum):
    """The public exit codes."""

    FINE = 0
    FINDINGS = 1
    USAGE = 2
    BLIND = 3
    STORAGE = 4


def stop(code: Exit, message: str) -> NoReturn:
    """End the command with a message on standard error."""
    click.echo(message, err=True)
    raise SystemExit(code)
