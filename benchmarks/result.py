"""What a benchmark finds, and how that is told: one row of the table each."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import click

T = TypeVar("T")


class SkippedError(Exception):
    """Something that a benchmark needs is not here; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. The short form finds crashes, not figures."""

    is_short: bool = False

    def pick(self, full: T, short: T) -> T:
        """The one that fits."""
        return short if self.is_short else full


@dataclass(frozen=True, slots=True)
class Bar:
    """What is asked for: a most, or a least."""

    limit: float
    is_least: bool = False

    def verdict(self, value: float) -> str:
        """What is said of a value."""
        excess = self.limit - value if self.is_least else value - self.limit
        if excess <= 0:
            return "pass"
        return f"**short by {excess / self.limit:.0%}**" if self.limit else "**short**"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    `unit` follows the number as it is. `aside` is what else one should know: the figures that
    a ratio was made from.
    """

    what: str
    value: float
    unit: str = ""
    bar: Bar | None = None
    aside: str = ""

    def cells(self) -> tuple[str, ...]:
        """What, measured, bar, verdict, aside."""
        if self.bar is None:
            return (self.what, self._told(self.value), "", "", self.aside)
        sign = "≥" if self.bar.is_least else "≤"
        bar, verdict = f"{sign} {self._told(self.bar.limit)}", self.bar.verdict(self.value)
        return (self.what, self._told(self.value), bar, verdict, self.aside)

    def _told(self, value: float) -> str:
        return f"{number(value)}{self.unit}"


Measure = Callable[[Scale], Iterable[Row]]
"""A benchmark: yields its rows as it comes to know them, or raises SkippedError."""


def at_most(limit: float) -> Bar:
    """Less is better."""
    return Bar(limit)


def at_least(limit: float) -> Bar:
    """More is better."""
    return Bar(limit, is_least=True)


def number(value: float) -> str:
    """With three digits that count, and whole numbers as they are."""
    if value == int(value):
        return f"{value:,.0f}"
    if abs(value) < 1:
        return f"{value:.3g}"
    return f"{value:,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f}"  # noqa: PLR2004 - digits


def line(cells: Iterable[str]) -> str:
    """One line of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |"


HEAD = (
    line(("what", "measured", "bar", "verdict", "beside it")),
    line(("---", "---:", "---:", "---", "---")),
)


def command(measure: Measure) -> click.Command:
    """A benchmark as a command of its own."""

    @click.command(help=measure.__doc__)
    @click.option("--short", is_flag=True, help="A few projects once: finds crashes, not figures.")
    def run(*, short: bool) -> None:
        for head in HEAD:
            click.echo(head)
        try:
            for row in measure(Scale(short)):
                click.echo(line(row.cells()))
        except SkippedError as reason:
            raise click.ClickException(str(reason)) from reason

    return run
