"""All benchmarks in turn, as one table.

    python -m benchmarks [--short] [--only=polls] [--output=benchmarks/RESULTS.md]

Growth is watched on the side, because that takes a quarter of an hour.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from time import perf_counter

import click

from benchmarks import (
    alert_latency,
    counts,
    growth,
    log_line,
    news,
    polls,
    probes,
    schedule,
    scrapes,
    slow,
    start,
)
from benchmarks.machine import description
from benchmarks.result import HEAD, Measure, Row, Scale, SkippedError, line

_BENCHMARKS: dict[str, Measure] = {
    "polls": polls.measure,
    "counts": counts.measure,
    "slow": slow.measure,
    "start": start.measure,
    "scrapes": scrapes.measure,
    "probes": probes.measure,
    "news": news.measure,
    "alert_latency": alert_latency.measure,
    "schedule": schedule.measure,
    "log_line": log_line.measure,
}
_GROWTH = "growth"


def _measured(name: str, rows: Iterable[Row]) -> Iterator[str]:
    """Its lines of the table."""
    began = perf_counter()
    try:
        for row in rows:
            yield line(row.cells())
    except SkippedError as reason:
        yield line((name, "", "", f"skipped: {reason}", ""))
    click.echo(f"{name}: {perf_counter() - began:.0f} s", err=True)


def _all(names: Sequence[str], scale: Scale) -> Iterator[str]:
    """Lines of the table, as they come."""
    is_over = Event()
    with ThreadPoolExecutor(1) as beside:
        try:
            if _GROWTH in names:
                grown = beside.submit(growth.watch, growth.cycles_of(scale), is_over)
            for name, measure in _BENCHMARKS.items():
                if name in names:
                    yield from _measured(name, measure(scale))
            if _GROWTH in names:
                yield from _measured(_GROWTH, _rows_of(grown))
        finally:
            is_over.set()


def _rows_of(found: Future[list[Row]]) -> Iterator[Row]:
    yield from found.result()


def _end(*_: object) -> None:
    """Leave no server behind, whoever ends this; make and nohup may have SIGINT ignored."""
    sys.exit(1)


@click.command()
@click.option("--short", is_flag=True, help="A few projects once: finds crashes, not figures.")
@click.option(
    "--only", multiple=True, type=click.Choice([*_BENCHMARKS, _GROWTH]), help="These, not all."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The table.")
def main(*, short: bool, only: Sequence[str], output: Path | None) -> None:
    """Measure all that is promised, each beside its peers."""
    for ended_by in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ended_by, _end)
    head = (f"# Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "", description(), "", *HEAD)
    lines = list(head)
    click.echo("\n".join(head))
    for each in _all(only or (*_BENCHMARKS, _GROWTH), Scale(short)):
        lines.append(each)
        click.echo(each)
        if output:  # what was measured stays, whatever becomes of the rest
            output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
