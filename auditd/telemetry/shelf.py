"""Keeps what the columns wrote of each run of projects, until its facts are others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.column import Column, Facts
from auditd.telemetry.family import Family
from auditd.telemetry.fragment import Fragment, Strip, deflate
from auditd.telemetry.run import Run, runs
from auditd.telemetry.strips import Strips

_PROJECTS = 64
"""In a run. With more of them one change writes more anew, with fewer they deflate worse."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """One column of one run."""

    facts: Facts
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class _Row:
    """One run."""

    projects: list[str]
    cells: dict[str, _Cell]
    """By the name of the family."""


class Shelf:
    """The series that each project has a few of."""

    def __init__(self) -> None:
        self._columns: list[Column] = []
        self._rows: dict[str, _Row] = {}
        """By the first project of each."""
        self._strips = Strips(self._fragments)

    @property
    def families(self) -> list[Family]:
        """In the order in which they were added."""
        return [column.family for column in self._columns]

    def add(self, columns: Sequence[Column]) -> None:
        """Keep these as well, from the next refresh on."""
        self._columns += columns

    def refresh(self, snapshots: Iterable[ProjectSnapshot]) -> Iterator[None]:
        """Bring all up to date, in steps of less than a millisecond.

        What was done stays done if the steps are given up. No two may be under way at once.
        """
        rows: dict[str, _Row] = {}
        for run in runs(snapshots, lambda _: 1, _PROJECTS):
            projects = [snapshot.project.name for snapshot in run]
            row = self._rows.get(projects[0])
            if row is None or row.projects != projects:
                row = self._rows[projects[0]] = _Row(projects, {})
            rows[projects[0]] = row
            for column in self._columns:
                self._write(row, column, run)
                yield
        if [*rows] != [*self._rows]:
            self._strips.drop_all()
        self._rows = rows
        yield from self._strips.renew(self.families)

    def strip(self, family: Family) -> Strip:
        """All of one family, as of the last refresh that was finished."""
        return self._strips[family]

    def _fragments(self, family: Family) -> Iterator[Fragment]:
        for row in self._rows.values():
            fragment = row.cells[family.name].fragment
            if fragment.size:
                yield fragment

    def _write(self, row: _Row, column: Column, run: Run) -> None:
        """Write the column of this run anew if its facts are others."""
        name = column.family.name
        facts = column.facts(run)
        cell = row.cells.get(name)
        if cell and cell.facts == facts:
            for kept, newest in zip(cell.facts, facts, strict=True):
                kept[:] = newest  # of equal facts the older may go
            return
        self._strips.drop(column.family)
        row.cells[name] = _Cell(facts, deflate(column.text(run, facts)))
