"""Consecutive projects whose series are kept together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from auditd.audit.snapshot import ProjectSnapshot

Run: TypeAlias = tuple[ProjectSnapshot, ...]
"""At least one."""

_HASHES = 2**32


def runs(
    snapshots: Iterable[ProjectSnapshot], weigh: Callable[[ProjectSnapshot], int], weight: int
) -> Iterator[Run]:
    """Cut the fleet into runs that weigh about so much, or are one project that weighs more.

    Whether a run begins with a project depends on its name and its own weight alone. So when a
    project joins, leaves or grows, the runs around it change and all others stay as they are.
    The cuts differ from process to process, as the hashes of texts do.
    """
    run: list[ProjectSnapshot] = []
    for snapshot in snapshots:
        begins = hash(snapshot.project.name) % _HASHES * weight < weigh(snapshot) * _HASHES
        if begins and run:
            yield tuple(run)
            run = []
        run.append(snapshot)
    if run:
        yield tuple(run)
