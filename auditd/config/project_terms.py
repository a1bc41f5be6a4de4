"""One project as it is written, and what completes and checks it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from auditd.audit.project import Project
from auditd.config.constraint import (
    LabelName,
    Name,
    Origin,
    ProjectId,
    Region,
    at_least,
    is_plain_and_remote,
)
from auditd.config.node import KeyPath
from auditd.config.problem import Place
from auditd.config.reader import Reader
from auditd.config.shape import Shape
from auditd.config.suggestion import did_you_mean

PollInterval = Annotated[timedelta, at_least(timedelta(seconds=1), "must be at least 1s")]
PollTimeout = Annotated[timedelta, at_least(timedelta(milliseconds=1), "must be longer than 0s")]

_USUAL_ID = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class ProjectEntry:
    """One of `projects`."""

    name: Name
    """The label `project` everywhere."""
    project_id: ProjectId
    """The id of the IAM project: 32 hexadecimal digits."""
    region: Region
    """The id of the region, for example cn-north-4."""
    credential: str
    """The name of one of `credentials`."""
    endpoint: Origin | None = None
    """The base URL of ServiceStage, when it is not the region's own."""
    poll_interval: PollInterval | None = None
    """How often this project is listed; global.poll_interval when left out."""
    poll_timeout: PollTimeout | None = None
    """Deadline of one poll; global.poll_timeout when left out."""
    verify: bool = False
    """Exercise each stored Git credential (read only)."""
    labels: Mapping[LabelName, str] = field(default_factory=dict)
    """Added to this project's alerts."""


@dataclass(frozen=True, slots=True)
class ProjectTerms:
    """What a written project is completed with and held against."""

    poll_interval: timedelta
    poll_timeout: timedelta
    credentials: tuple[str, ...]
    known_regions: frozenset[str]

    def read(self, reader: Reader, path: KeyPath) -> tuple[Project, ...]:
        """The projects of the list at `path`; problems and warnings go to the reader."""
        names: dict[str, Place] = {}
        identities: dict[tuple[str, str], Place] = {}
        projects = []
        for place, entry in reader.each(path, PROJECT_ENTRY):
            reader.unique((*place, "name"), entry.name, names, "name")
            identity = (entry.project_id.lower(), entry.region)
            reader.unique((*place, "project_id"), identity, identities, "project in this region")
            self._check(reader, place, entry)
            projects.append(self._complete(entry))
        return tuple(projects)

    def check_times(
        self,
        reader: Reader,
        path: KeyPath,
        poll_interval: timedelta | None,
        poll_timeout: timedelta | None,
    ) -> None:
        """Complain when a poll may last longer than the time to the next.

        None is the global value; a mapping that has neither is not the one to blame.
        """
        if poll_timeout is None and poll_interval is None:
            return
        if (poll_timeout or self.poll_timeout) > (poll_interval or self.poll_interval):
            key = "poll_interval" if reader.at((*path, "poll_timeout")) is None else "poll_timeout"
            reader.complain((*path, key), "poll_timeout must not exceed poll_interval")

    def check_credential(self, reader: Reader, path: KeyPath, name: str) -> None:
        """Complain when a project or a discovery refers to no credential."""
        reader.refer((*path, "credential"), name, self.credentials, "credential")

    def _check(self, reader: Reader, path: KeyPath, entry: ProjectEntry) -> None:
        self.check_credential(reader, path, entry.credential)
        self.check_times(reader, path, entry.poll_interval, entry.poll_timeout)
        if entry.endpoint is None and entry.region not in self.known_regions:
            hint = did_you_mean(entry.region, sorted(self.known_regions))
            reader.complain(
                (*path, "region"),
                f"unknown region{hint or '; correct it, or give its `endpoint` too'}",
            )
        if not _USUAL_ID.fullmatch(entry.project_id):
            reader.warn((*path, "project_id"), "an IAM project's id has 32 hexadecimal digits")
        warn_if_plain(reader, (*path, "endpoint"))

    def _complete(self, entry: ProjectEntry) -> Project:
        return Project(
            name=entry.name,
            project_id=entry.project_id,
            region=entry.region,
            credential=entry.credential,
            poll_interval=entry.poll_interval or self.poll_interval,
            poll_timeout=entry.poll_timeout or self.poll_timeout,
            endpoint=entry.endpoint,
            verify=entry.verify,
            labels=tuple(sorted(entry.labels.items())),
        )


def warn_if_plain(reader: Reader, path: KeyPath) -> None:
    """Warn of an address at `path` to which credentials would go unencrypted."""
    if is_plain_and_remote(str(reader.at(path))):
        reader.warn(path, "http:// sends credentials unencrypted; use https://")


PROJECT_ENTRY = Shape.of(ProjectEntry)
