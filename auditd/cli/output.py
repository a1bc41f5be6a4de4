"""Where tables are printed."""

from __future__ import annotations

import os

from rich.console import Console

_UNFOLDED_COLUMNS = 1000


def open_console() -> Console:
    """Standard output: as wide as its terminal, and without folding where there is none.

    rich takes 80 columns for a pipe or a file, in which a line should be found and cut as one.
    `COLUMNS` has the last word.
    """
    console = Console()
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(width=_UNFOLDED_COLUMNS)
