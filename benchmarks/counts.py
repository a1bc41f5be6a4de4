"""What a cycle does, counted rather than timed, and so the same in each run."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from benchmarks.daemon_process import Daemon, daemon
from benchmarks.fixture import Fixture, made
from benchmarks.result import Row, Scale, at_most, command
from benchmarks.servers import Served, nginx
from benchmarks.watched import look, watched_command

_POLL_TIMES = "polls"
"""The table of what every poll changes."""
_POLLS = re.compile(rb"^auditd_polls_total\{.*\} (\d+)", re.MULTILINE)
_EVENTS = ("insert", "update", "delete")


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one did."""

    requests: int
    polls: int
    rows: Counter[str]
    """Written, by table."""
    calls: Counter[str]


def measure(scale: Scale) -> Iterator[Row]:
    """Requests, rows and decoded lists of a cycle, without a change and with some."""
    projects, interval = scale.pick(300, 100), scale.pick(5, 2)
    with made(projects=projects, is_changing=True) as fixture, nginx(fixture) as served:
        home = fixture.home / "d"
        program = watched_command(home, is_counting=True)
        with daemon(
            home, fixture.ids, served.url, interval=f"{interval}s", command=program
        ) as running:
            running.seconds_until_complete(projects * fixture.authorizations)
            sleep(2 * interval)
            _count_rows(running.home / "state.db")
            unchanged = _cycle(running, served, interval)
            fixture.serve("some")
            changed = _cycle(running, served, interval)
    yield from _rows(fixture, unchanged, changed)


def _rows(fixture: Fixture, unchanged: Cycle, changed: Cycle) -> Iterator[Row]:
    yield Row(
        "an unchanged cycle: requests for each poll",
        unchanged.requests / unchanged.polls,
        "",
        at_most(1.05),  # a few may be under way when it is looked
        f"{unchanged.polls:,} polls of {len(fixture.ids):,} projects",
    )
    times = unchanged.rows.pop(_POLL_TIMES, 0)
    yield Row(
        "an unchanged cycle: rows written but for poll times",
        unchanged.rows.total(),
        "",
        at_most(0),
        f"{_told(unchanged.rows)}poll times {times:,}; 1 % changed: {_told(changed.rows)}",
    )
    for what in ("bodies decoded", "entries read"):
        aside = f"1 % changed: {changed.calls[what]:,}"
        yield Row(f"an unchanged cycle: {what}", unchanged.calls[what], "", at_most(0), aside)


def _told(rows: Counter[str]) -> str:
    return "".join(f"{table} {count:,}, " for table, count in rows.items() if count)


def _polled(running: Daemon) -> int:
    """How many polls there were, as the daemon counts them."""
    return sum(map(int, _POLLS.findall(running.metrics())))


def _cycle(running: Daemon, served: Served, interval: float) -> Cycle:
    rows, calls = _written(running.home), look(running).calls
    requests, polls = served.answered(), _polled(running)
    sleep(interval)
    requests, polls = served.answered() - requests - 1, _polled(running) - polls
    calls = look(running).calls - calls
    sleep(interval / 4)  # what was polled last is written
    return Cycle(requests, polls, _written(running.home) - rows, calls)


def _count_rows(state: Path) -> None:
    """Have SQLite itself count each row that it writes, the same value again included."""
    with closing(sqlite3.connect(state, timeout=10)) as connection, connection:
        tables = [
            name
            for (name,) in connection.execute(
                "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
            )
        ]
        connection.execute("create table counted (name text primary key, rows integer not null)")
        for table in tables:
            connection.execute("insert into counted values (?, 0)", (table,))
            for event in _EVENTS:
                connection.execute(
                    f"create trigger counted_{table}_{event} after {event} on {table} begin"  # noqa: S608 - names from the schema
                    f" update counted set rows = rows + 1 where name = '{table}'; end"
                )


def _written(home: Path) -> Counter[str]:
    with closing(sqlite3.connect(home / "state.db", timeout=10)) as connection:
        return Counter(dict(connection.execute("select name, rows from counted")))


main = command(measure)

if __name__ == "__main__":
    main()
