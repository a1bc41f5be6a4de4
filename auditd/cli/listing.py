"""How things of one kind are printed: a table for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import click
import msgspec
from rich.table import Table
from rich.text import Text

from auditd.audit.instant import format_instant
from auditd.cli.output import open_console

_ItemT = TypeVar("_ItemT")


@dataclass(frozen=True, slots=True)
class Column(Generic[_ItemT]):
    """One column of a table."""

    heading: str
    cell: Callable[[_ItemT], str]
    is_whole: bool = False
    """Whether it is never folded, because people copy it."""


def print_listing(
    items: Sequence[_ItemT], columns: Sequence[Column[_ItemT]], *, output_format: str
) -> None:
    """Print all items as `table` or `json`."""
    if output_format == "json":
        print_json(items)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.heading, overflow="fold", no_wrap=column.is_whole)
    for item in items:
        table.add_row(*(Text(printable(column.cell(item))) for column in columns))
    open_console().print(table)


def print_json(value: Any) -> None:
    """Print a dataclass, or several, field by field; instants in RFC 3339."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def printable(text: str) -> str:
    """One line without what would steer a terminal: some texts are foreign."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "�" for character in line)


def instant(at: datetime | None) -> str:
    """An instant in a table; a dash for none."""
    return format_instant(at) if at else "-"
