"""What is known of every project: the one place that holds it while the daemon runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot


class Fleet:
    """The newest snapshot of each project, by name.

    `recall` gives what is known of a project that joins, from a former process.
    """

    def __init__(self, recall: Callable[[Project], ProjectSnapshot] = ProjectSnapshot) -> None:
        self._recall = recall
        self._snapshots: dict[str, ProjectSnapshot] = {}
        self._untried: set[str] = set()
        self._left: set[str] = set()

    @property
    def untried(self) -> int:
        """How many projects have not been polled once yet, successfully or not."""
        return len(self._untried)

    def is_untried(self, name: str) -> bool:
        """Whether this process has not polled the project yet, whatever a former one knew."""
        return name in self._untried

    def snapshots(self) -> Collection[ProjectSnapshot]:
        """All of them, in the order in which the projects joined."""
        return self._snapshots.values()

    def get(self, name: str) -> ProjectSnapshot | None:
        """The snapshot of one project, None when there is no such project."""
        return self._snapshots.get(name)

    def join(self, project: Project) -> None:
        """Add a project, or give one new settings; what is known of it stays."""
        known = self._snapshots.get(project.name)
        if known is None:
            self._untried.add(project.name)
        self._snapshots[project.name] = (
            replace(known, project=project) if known else self._first_of(project)
        )

    def _first_of(self, project: Project) -> ProjectSnapshot:
        """What a former process knew, unless the project has left since: that ends it."""
        return ProjectSnapshot(project) if project.name in self._left else self._recall(project)

    def leave(self, name: str) -> ProjectSnapshot:
        """Forget a project. Returns the last that was known of it."""
        self._untried.discard(name)
        self._left.add(name)
        return self._snapshots.pop(name)

    def publish(self, snapshot: ProjectSnapshot) -> None:
        """Make this the newest snapshot of its project, unless the project has left.

        The project's settings stay those with which it joined last.
        """
        if self.amend(snapshot):
            self._untried.discard(snapshot.project.name)

    def amend(self, snapshot: ProjectSnapshot) -> bool:
        """Like `publish`, but the project does not count as polled. False when it has left."""
        known = self._snapshots.get(snapshot.project.name)
        if known is None:
            return False
        if snapshot.project is not known.project:
            snapshot = replace(snapshot, project=known.project)
        self._snapshots[known.project.name] = snapshot
        return True
