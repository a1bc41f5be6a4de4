"""One project as it is written, and what completes and checks it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from sys import intern
from typing import Annotated

from auditd.audit.duration import format_duration
from auditd.audit.project import Project
from auditd.config.constraint import (
    Interval,
    LabelName,
    Name,
    Origin,
    PositiveDuration,
    ProjectId,
    Region,
    is_plain_and_remote,
)
from auditd.config.form import TEXT, Check, entries
from auditd.config.node import Node
from auditd.config.problem import Place
from auditd.config.reading import Reading
from auditd.config.record import form_of
from auditd.config.suggestion import did_you_mean

Labels = Annotated[
    tuple[tuple[str, str], ...],
    Check(lambda labels: tuple(sorted(labels.items())), {}).on(entries(form_of(LabelName), TEXT)),
]
"""Written as a mapping; sorted by label name."""

_USUAL_ID = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class ProjectEntry:
    """One of `projects`. A time that is 0 was left out."""

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
    poll_interval: Interval = field(default_factory=timedelta)
    """How often this project is listed; global.poll_interval when left out."""
    poll_timeout: PositiveDuration = field(default_factory=timedelta)
    """Deadline of one poll; global.poll_timeout when left out."""
    verify: bool = False
    """Exercise each stored Git credential (read only)."""
    labels: Labels = ()
    """Added to this project's alerts."""


@dataclass(frozen=True, slots=True)
class ProjectTerms:
    """What a written project is completed with and held against."""

    poll_interval: timedelta
    poll_timeout: timedelta
    credentials: tuple[str, ...]
    known_regions: frozenset[str]

    def read(self, reading: Reading, projects: Node | None) -> tuple[Project, ...]:
        """The projects of a list; problems and warnings go to the reading."""
        identities: dict[tuple[str, str], Place] = {}
        found = []
        for node, entry in reading.named(projects, form_of(ProjectEntry)):
            identity = (entry.project_id.lower(), entry.region)
            project_id = node.table()["project_id"]
            reading.unique(project_id, identity, identities, "project in this region")
            if not _USUAL_ID.fullmatch(entry.project_id):
                reading.warn(project_id, "an IAM project's id has 32 hexadecimal digits")
            self._check_region(reading, node, entry)
            self.check_common(reading, node)
            self.check_times(reading, node, entry.poll_interval, entry.poll_timeout)
            found.append(self._complete(entry))
        return tuple(found)

    def check_common(self, reading: Reading, node: Node) -> None:
        """Hold against the terms what a project and a discovery both refer to."""
        reading.refer(node.table()["credential"], self.credentials, "credential", "credentials")
        for key in ("endpoint", "iam_endpoint"):
            warn_if_plain(reading, node.child(key))

    def check_times(
        self, reading: Reading, node: Node, poll_interval: timedelta, poll_timeout: timedelta
    ) -> None:
        """Complain when a poll may last longer than the time to the next.

        A time that is 0 is the global one, and a mapping that has neither is not to blame.
        """
        written = node.child("poll_timeout") or node.child("poll_interval")
        timeout, interval = poll_timeout or self.poll_timeout, poll_interval or self.poll_interval
        if written and timeout > interval:
            reading.complain(
                written,
                f"poll_timeout, which is {format_duration(timeout)}, must not exceed"
                f" poll_interval, which is {format_duration(interval)}",
            )

    def _check_region(self, reading: Reading, node: Node, entry: ProjectEntry) -> None:
        if entry.endpoint is None and entry.region not in self.known_regions:
            hint = did_you_mean(entry.region, sorted(self.known_regions))
            message = f"unknown region{hint or '; correct it, or give its `endpoint` too'}"
            reading.complain(node.table()["region"], message)

    def _complete(self, entry: ProjectEntry) -> Project:
        return Project(
            name=entry.name,
            project_id=entry.project_id,
            region=intern(entry.region),  # few, in many projects
            credential=intern(entry.credential),
            poll_interval=entry.poll_interval or self.poll_interval,
            poll_timeout=entry.poll_timeout or self.poll_timeout,
            endpoint=entry.endpoint and intern(entry.endpoint),
            verify=entry.verify,
            labels=entry.labels,
        )


def warn_if_plain(reading: Reading, address: Node | None) -> None:
    """Warn of an address to which credentials would go unencrypted."""
    if address and is_plain_and_remote(str(address.value)):
        reading.warn(address, "http:// sends credentials unencrypted; use https://")
