"""Which projects there are, from the configuration and from every source, as one set of names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from auditd.audit.project import Project


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What one refresh changed. `updated` ones kept their name and have new settings."""

    added: tuple[Project, ...]
    updated: tuple[Project, ...]
    removed: tuple[Project, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.updated or self.removed)


class Roster:
    """The fleet's projects.

    What is configured comes first, then each source's in the order of the sources. One project
    (id and region) is taken once, from whoever comes first. A name that is taken already by
    another project becomes `CREDENTIAL/NAME`: accounts name their projects after regions, so
    two accounts bring the same names.
    """

    def __init__(self, configured: Sequence[Project], sources: Sequence[str]) -> None:
        self._given: dict[str, Sequence[Project]] = {"": configured, **dict.fromkeys(sources, ())}
        self._projects = self._merge()

    @property
    def projects(self) -> Sequence[Project]:
        """All of them as of now."""
        return tuple(self._projects.values())

    def refresh(self, source: str, projects: Sequence[Project]) -> RosterChange:
        """Take this as the complete set of one source."""
        return self._replace({**self._given, source: projects})

    def adopt(self, configured: Sequence[Project], sources: Sequence[str]) -> RosterChange:
        """Have these configured projects and sources; what a kept source gave stays."""
        given = {source: self._given.get(source, ()) for source in sources}
        return self._replace({"": configured, **given})

    def _replace(self, given: dict[str, Sequence[Project]]) -> RosterChange:
        self._given = given
        before, self._projects = self._projects, self._merge()
        after = self._projects
        # Another project under a name that was known is a departure and an arrival.
        same = {
            name
            for name in before.keys() & after.keys()
            if _identity(before[name]) == _identity(after[name])
        }
        return RosterChange(
            added=tuple(after[name] for name in after if name not in same),
            updated=tuple(
                after[name] for name in after if name in same and after[name] != before[name]
            ),
            removed=tuple(before[name] for name in before if name not in same),
        )

    def _merge(self) -> dict[str, Project]:
        merged: dict[str, Project] = {}
        seen: set[tuple[str, str]] = set()
        for projects in self._given.values():
            for project in projects:
                if _identity(project) in seen:
                    continue
                name = project.name
                if name in merged:
                    name = f"{project.credential}/{project.name}"
                if name in merged:
                    name = f"{name}/{project.project_id}"
                seen.add(_identity(project))
                merged[name] = project if name == project.name else replace(project, name=name)
        return merged


def _identity(project: Project) -> tuple[str, str]:
    return (project.project_id, project.region)
