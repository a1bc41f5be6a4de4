"""Projects from files that other programs or people maintain."""

from __future__ import annotations

import asyncio
import glob
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from auditd.audit.project import Project
from auditd.config.discovery import FileDiscovery
from auditd.config.node import Sequence as Items
from auditd.config.node import Table, kind_of
from auditd.config.problem import Place, Problems
from auditd.config.project_terms import ProjectTerms
from auditd.config.reader import Reader
from auditd.config.source import Source, expand


class ProjectFiles:
    """A source of projects. A file is a list of projects, or a mapping with the key `projects`."""

    def __init__(
        self, discovery: FileDiscovery, *, terms: ProjectTerms, environ: Mapping[str, str]
    ) -> None:
        self.name = f"file/{discovery.files[0]}"
        self.refresh_interval: timedelta = discovery.refresh_interval
        self._patterns = discovery.files
        self._terms = terms
        self._environ = environ

    async def projects(self) -> Sequence[Project]:
        """The projects of all files as they are now.

        A glob that fits no file adds nothing; a file that is named must exist.

        Raises:
            ConfigError: a file cannot be used. All problems of all files are in it.
        """
        return await asyncio.to_thread(self._read)

    def _read(self) -> Sequence[Project]:
        problems = Problems()
        source = Source(self._environ, problems)
        everything = Items(Place(self.name))
        for pattern in self._patterns:
            files = expand(pattern, Path())
            for file in files if files or glob.has_magic(pattern) else [Path(pattern)]:
                data = source.read_data(file, if_empty="write [] for no projects")
                if (items := self._items(data, str(file), problems)) is not None:
                    everything = Items(everything.place, [*everything.items(), *items.items()])
        root = Table(everything.place)
        root.put("projects", everything, (everything.place, everything.place))
        projects = self._terms.read(Reader(root, problems), ("projects",))
        if problems:
            raise problems.error()
        return projects

    def _items(self, data: object, file: str, problems: Problems) -> Items | None:
        if isinstance(data, Table) and data.keys() == {"projects"}:
            data = data["projects"]
        if isinstance(data, Items):
            return data
        if data is not None:
            place = data.place if isinstance(data, Table) else Place(file, 1, 1)
            problems.add(place, "", f"expected a list of projects, found {kind_of(data)}")
        return None
