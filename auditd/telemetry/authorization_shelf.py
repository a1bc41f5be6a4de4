"""Keeps what was written of the authorizations of each run of projects, until they change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.authorization_lines import FAMILIES, Item, Lines, items, texts
from auditd.telemetry.family import Family
from auditd.telemetry.fragment import Fragment, Strip, deflate
from auditd.telemetry.run import Run, runs
from auditd.telemetry.strips import Strips

_AUTHORIZATIONS = 128
"""In a run of small projects, and at most in one step."""


@dataclass(slots=True)
class _Row:
    """One run."""

    facts: list[Any]
    """All that its series depend on but the room that there was, project by project."""
    room: int
    """How many series it could have had."""
    series: int = 0
    dropped: int = 0
    fragments: dict[str, list[Fragment]] = field(default_factory=dict)
    """By the name of the family; none is empty."""

    def holds(self, facts: list[Any], room: int) -> bool:
        """Whether the same would be written again."""
        fits = room == self.room if self.dropped else room >= self.series
        return fits and self.facts == facts


class AuthorizationShelf:
    """The series of authorizations, as many as there may be."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}
        """By the first project of each."""
        self._strips = Strips(self._fragments)

    @property
    def dropped(self) -> int:
        """How many series were left out, as of the last refresh that was finished."""
        return sum(row.dropped for row in self._rows.values())

    def refresh(self, snapshots: Iterable[ProjectSnapshot], max_series: int) -> Iterator[None]:
        """Bring all up to date, in steps of less than a millisecond.

        An authorization with which there would be more than `max_series` is left out as a whole.
        What was done stays done if the steps are given up. No two may be under way at once.
        """
        rows: dict[str, _Row] = {}
        room = max_series
        for run in runs(snapshots, _weigh, _AUTHORIZATIONS):
            first = run[0].project.name
            facts = [fact for snapshot in run for fact in _facts(snapshot)]
            row = self._rows.get(first)
            if row is None or not row.holds(facts, room):
                row = _Row(facts, room)
                yield from _fill(row, run)
                self._strips.drop_all()
                self._rows[first] = row
            else:
                row.facts[:] = facts  # of equal ones the older may go
            yield
            rows[first] = row
            room -= row.series
        if [*rows] != [*self._rows]:
            self._strips.drop_all()
        self._rows = rows
        yield from self._strips.renew(FAMILIES)

    def strip(self, family: Family) -> Strip:
        """All of one family, as of the last refresh that was finished."""
        return self._strips[family]

    def _fragments(self, family: Family) -> Iterator[Fragment]:
        rows = self._rows.values()
        return chain.from_iterable(row.fragments.get(family.name, ()) for row in rows)


def _facts(snapshot: ProjectSnapshot) -> tuple[Any, ...]:
    return (
        snapshot.project.name,
        snapshot.authorizations,
        snapshot.stale_at,
        snapshot.verifications,
    )


def _weigh(snapshot: ProjectSnapshot) -> int:
    return 1 + len(snapshot.authorizations or ())


def _fill(row: _Row, run: Run) -> Iterator[None]:
    some: list[Item] = []
    for item in chain.from_iterable(items(snapshot) for snapshot in run):
        some.append(item)
        if len(some) == _AUTHORIZATIONS:
            yield from _write(row, some)
            some = []
    yield from _write(row, some)


def _write(row: _Row, some: Sequence[Item]) -> Iterator[None]:
    written = texts(some)
    series = _series(written)
    if row.series + series > row.room:
        some = _fitting(some, row.room - row.series)
        written, wanted = texts(some), series
        series = _series(written)
        row.dropped += wanted - series
    row.series += series
    yield
    for family, (text, _) in zip(FAMILIES, written, strict=True):
        if text:
            row.fragments.setdefault(family.name, []).append(deflate(text))
    yield


def _fitting(some: Sequence[Item], room: int) -> list[Item]:
    """Those for which there is room, each as a whole."""
    fitting = []
    for item in some:
        series = _series(texts([item]))
        if series <= room:
            fitting.append(item)
            room -= series
    return fitting


def _series(written: Iterable[Lines]) -> int:
    return sum(lines for _, lines in written)
