"""Projects from files that other programs or people maintain."""

from __future__ import annotations

import asyncio
import glob
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from auditd.audit.project import Project
from auditd.config.discovery import FileDiscovery
from auditd.config.file_set import expand
from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from auditd.config.project_terms import ProjectTerms
from auditd.config.reading import Reading
from auditd.config.source import Source


class ProjectFiles:
    """A source of projects. A file is a list of projects, or a mapping with the key `projects`.

    `on_warnings` is told what is doubtful in the files, with its places, whenever that changes.
    """

    def __init__(
        self,
        discovery: FileDiscovery,
        *,
        terms: ProjectTerms,
        environ: Mapping[str, str],
        on_warnings: Callable[[Sequence[str]], None] = lambda _: None,
    ) -> None:
        self.name = f"file/{discovery.files[0].lstrip('/')}"
        self.refresh_interval: timedelta = discovery.refresh_interval
        self._patterns = discovery.files
        self._terms = terms
        self._environ = environ
        self._on_warnings = on_warnings
        self._warnings: tuple[str, ...] = ()

    async def projects(self) -> Sequence[Project]:
        """The projects of all files as they are now.

        A glob that fits no file adds nothing; a file that is named must exist.

        Raises:
            ConfigError: a file cannot be used. All problems of all files are in it.
        """
        projects, warnings = await asyncio.to_thread(self._read)
        if warnings != self._warnings:
            self._warnings = warnings
            self._on_warnings(warnings)
        return projects

    def _read(self) -> tuple[Sequence[Project], tuple[str, ...]]:
        problems = Problems()
        source = Source(self._environ, problems)
        everything: list[Node] = []
        for pattern in self._patterns:
            files = expand(pattern, Path())
            for file in files if files or glob.has_magic(pattern) else [Path(pattern)]:
                if root := source.read_data(file, if_empty="write [] for no projects"):
                    everything += _items(root, problems)
        place = Place(self.name)
        reading = Reading(problems)
        projects = self._terms.read(reading, Node(everything, place, place))
        source.fell()
        if problems:
            raise problems.error()
        return projects, tuple(map(str, sorted(reading.warnings)))


def _items(root: Node, problems: Problems) -> list[Node]:
    is_section = isinstance(root.value, dict) and root.value.keys() == {"projects"}
    items = root.value["projects"] if is_section else root
    if not isinstance(items.value, list):
        problems.add(items.place, "", f"expected a list of projects, found {items.kind}")
        return []
    items.step = "projects"  # the paths of a file that is a list read like those of a section
    return items.value
