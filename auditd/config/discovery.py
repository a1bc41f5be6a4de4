"""Where projects come from when they are not written one by one."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, TypeAlias

from auditd.config.constraint import NOT_EMPTY, Interval, Origin, PositiveDuration, need_text
from auditd.config.form import scalar
from auditd.config.node import Node
from auditd.config.project_terms import Labels, ProjectTerms
from auditd.config.reading import Reading
from auditd.config.record import Record
from auditd.config.tagged import Tagged


def _pattern(node: Node) -> str:
    need_text(node)
    return str(node.beside())


_Pattern = Annotated[str, scalar(_pattern, type="string")]


@dataclass(frozen=True, slots=True)
class IamDiscovery:
    """Every enabled project that the credential may use."""

    credential: str
    """The name of one of `credentials`."""
    include: re.Pattern[str] = re.compile(".*")
    """The IAM project's name must fit this regular expression as a whole."""
    exclude: re.Pattern[str] | None = None
    """Projects whose IAM name fits this regular expression as a whole are left out."""
    refresh_interval: Interval = timedelta(minutes=10)
    """How often IAM is asked."""
    iam_endpoint: Origin | None = None
    """The base URL of IAM, when it is not the credential's own."""
    endpoint: Origin | None = None
    """The base URL of ServiceStage for all projects found, when it is not the region's own."""
    poll_interval: Interval = field(default_factory=timedelta)
    """How often each project is listed; global.poll_interval when left out."""
    poll_timeout: PositiveDuration = field(default_factory=timedelta)
    """Deadline of one poll; global.poll_timeout when left out."""
    verify: bool = False
    """Exercise each stored Git credential (read only)."""
    labels: Labels = ()
    """Added to the alerts of all projects found."""


@dataclass(frozen=True, slots=True)
class FileDiscovery:
    """Files with lists of projects; they are read again when they change."""

    files: Annotated[tuple[_Pattern, ...], NOT_EMPTY]
    """Paths or globs; a relative one starts beside this file."""
    refresh_interval: Interval = timedelta(seconds=10)
    """How often the files are read."""


Discovery: TypeAlias = IamDiscovery | FileDiscovery

DISCOVERY: Tagged[Discovery] = Tagged(
    {"iam": Record(IamDiscovery, kind="iam"), "file": Record(FileDiscovery, kind="file")}
)


def read_discovery(
    reading: Reading, section: Node | None, terms: ProjectTerms
) -> tuple[Discovery, ...]:
    """The section `discovery`; problems and warnings go to the reading."""
    found: list[Discovery] = []
    for node, entry in reading.each(section, DISCOVERY):
        if isinstance(entry, FileDiscovery):
            found.append(entry)
            continue
        terms.check_common(reading, node)
        terms.check_times(reading, node, entry.poll_interval, entry.poll_timeout)
        poll_interval = entry.poll_interval or terms.poll_interval
        poll_timeout = entry.poll_timeout or terms.poll_timeout
        found.append(replace(entry, poll_interval=poll_interval, poll_timeout=poll_timeout))
    return tuple(found)
