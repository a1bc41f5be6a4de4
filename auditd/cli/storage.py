"""`storage copy`: the state, brought from a file to a server or back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from auditd.cli.exits import Exit, stop
from auditd.cli.options import StorageUrlType
from auditd.store.copy import Copy, CopyUnverifiedError, copy_state
from auditd.store.errors import StoreError


@click.group("storage")
def command() -> None:
    """Bring the state from one database to another."""


@command.command("copy")
@click.option(
    "--from",
    "source",
    type=StorageUrlType(),
    required=True,
    help="Where the state is, for example sqlite:////var/lib/NAME/state.db.",
)
@click.option(
    "--to",
    "target",
    type=StorageUrlType(),
    required=True,
    help="An empty database, for example postgresql://USER@HOST/DATABASE.",
)
def copy(source: str, target: str) -> None:
    """Copy all that is stored to an empty database, and verify the copy.

    No daemon may run on either of the two. The target gets everything or nothing: after a run that
    was interrupted run it again. The source is left as it is.

    Exit codes: 0 copied, or there already, and verified; 1 what is there is not what it should be;
    2 bad usage; 4 one of the two is held, damaged or cannot be reached, or the target is in use.
    """
    if source == target:
        stop(Exit.USAGE, "--from and --to are the same; nothing is to be copied")
    try:
        with _progress() as advance:
            made = copy_state(source, target, advance)
    except CopyUnverifiedError as error:
        stop(Exit.FINDINGS, str(error))
    except StoreError as error:
        stop(Exit.STORAGE, str(error))
    click.echo(_describe(made))


def _describe(made: Copy) -> str:
    """What there is now, without what there is none of."""
    named = {name.replace("_", " "): rows for name, rows in made.rows.items() if rows}
    counts = ", ".join(f"{rows} {name}" for name, rows in sorted(named.items()))
    done = "had been copied before" if made.was_there else "copied"
    return (
        f"{made.source}\n{done} to {made.target}\n"
        f"rows: {counts or 'none'}\n"
        f"verified: every row, and {made.entries} entries of the trail by their hashes\n"
        "Set storage.url to the new place, and start no daemon on the old one again."
    )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, only where a person watches."""
    console = Console(stderr=True)
    columns = (
        TextColumn("copying and verifying"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
