"""One family of which each project has lines of its own, and what they depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.family import Family
from auditd.telemetry.label import escaped
from auditd.telemetry.number import number_text
from auditd.telemetry.run import Run

T = TypeVar("T")

Facts: TypeAlias = tuple[list[Any], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """How the lines of a family come about.

    `facts` gives all that the lines of a run depend on but names: a list for each kind of fact,
    with one of each project; None, in the first list, where there is nothing to write. It is asked
    at each scrape. So it only looks things up, and gives the same objects again, or equal ones, as
    long as nothing changed. What it made for each project would be garbage of each scrape.
    `lines` writes them down, from the label `project="…"` and the facts of a project.
    """

    family: Family
    facts: Callable[[Run], Facts]
    lines: Callable[..., str]

    def text(self, run: Run, facts: Facts) -> str:
        """The lines of the run."""
        return "".join(
            self.lines(project_label(snapshot), *its_facts)
            for snapshot, *its_facts in zip(run, *facts, strict=True)
            if its_facts[0] is not None
        )


def project_label(snapshot: ProjectSnapshot) -> str:
    """As it is written between braces."""
    return f'project="{escaped(snapshot.project.name)}"'


def line(family: Family, labels: str, value: float) -> str:
    """One series. `labels` are sorted by name and escaped."""
    return f"{family.sample_name}{{{labels}}} {number_text(value)}\n"


def steady(give: Callable[[], T]) -> Callable[[], T]:
    """The same, but with the former object as long as an equal one is given.

    Facts that are the same object are quick to compare.
    """
    last: T | None = None

    def same() -> T:
        nonlocal last
        newest = give()
        if last is None or newest != last:
            last = newest
        return last

    return same
