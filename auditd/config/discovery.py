"""Where projects come from when they are not written one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from auditd.config.constraint import LabelName, NonEmpty, Origin, at_least, not_empty
from auditd.config.project_terms import PollInterval, PollTimeout, ProjectTerms, warn_if_plain
from auditd.config.reader import Reader
from auditd.config.shape import Shape

_RefreshInterval = Annotated[timedelta, at_least(timedelta(seconds=1), "must be at least 1s")]


@dataclass(frozen=True, slots=True)
class IamEntry:
    """One of `discovery` with the type `iam`."""

    type: Literal["iam"]
    """Every enabled project that the credential may use."""
    credential: str
    """The name of one of `credentials`."""
    include: re.Pattern[str] = re.compile(".*")
    """The IAM project's name must fit this regular expression as a whole."""
    exclude: re.Pattern[str] | None = None
    """Projects whose IAM name fits this regular expression as a whole are left out."""
    refresh_interval: _RefreshInterval = timedelta(minutes=10)
    """How often IAM is asked."""
    iam_endpoint: Origin | None = None
    """The base URL of IAM, when it is not the credential's own."""
    endpoint: Origin | None = None
    """The base URL of ServiceStage for all projects found, when it is not the region's own."""
    poll_interval: PollInterval | None = None
    """How often each project is listed; global.poll_interval when left out."""
    poll_timeout: PollTimeout | None = None
    """Deadline of one poll; global.poll_timeout when left out."""
    verify: bool = False
    """Exercise each stored Git credential (read only)."""
    labels: Mapping[LabelName, str] = field(default_factory=dict)
    """Added to the alerts of all projects found."""


@dataclass(frozen=True, slots=True)
class FileDiscovery:
    """One of `discovery` with the type `file`. `files` no longer depend on where they stood."""

    type: Literal["file"]
    """Files with lists of projects; they are read again when they change."""
    files: Annotated[tuple[NonEmpty, ...], AfterValidator(not_empty)]
    """Paths or globs; a relative one starts beside this file."""
    refresh_interval: _RefreshInterval = timedelta(seconds=10)
    """How often the files are read."""


@dataclass(frozen=True, slots=True)
class IamDiscovery:
    """Ask IAM for the projects of a credential. Patterns fit a whole IAM project name."""

    credential: str
    include: re.Pattern[str]
    exclude: re.Pattern[str] | None
    refresh_interval: timedelta
    iam_endpoint: str | None
    endpoint: str | None
    poll_interval: timedelta
    poll_timeout: timedelta
    verify: bool
    labels: tuple[tuple[str, str], ...]
    """Sorted by label name."""


Discovery: TypeAlias = IamDiscovery | FileDiscovery

DISCOVERY_ENTRIES: Mapping[str, Shape[IamEntry | FileDiscovery]] = {
    "iam": Shape.of(IamEntry),
    "file": Shape.of(FileDiscovery),
}


def read_discovery(reader: Reader, terms: ProjectTerms) -> tuple[Discovery, ...]:
    """The section `discovery`; problems and warnings go to the reader."""
    found: list[Discovery] = []
    for path, entry in reader.each_kind(("discovery",), DISCOVERY_ENTRIES):
        if isinstance(entry, IamEntry):
            terms.check_credential(reader, path, entry.credential)
            terms.check_times(reader, path, entry.poll_interval, entry.poll_timeout)
            warn_if_plain(reader, (*path, "endpoint"))
            warn_if_plain(reader, (*path, "iam_endpoint"))
            found.append(_iam(entry, terms))
        else:
            directory = Path(reader.place_of((*path, "files")).file).parent
            files = tuple(str(directory / pattern) for pattern in entry.files)
            found.append(replace(entry, files=files))
    return tuple(found)


def _iam(entry: IamEntry, terms: ProjectTerms) -> IamDiscovery:
    return IamDiscovery(
        credential=entry.credential,
        include=entry.include,
        exclude=entry.exclude,
        refresh_interval=entry.refresh_interval,
        iam_endpoint=entry.iam_endpoint,
        endpoint=entry.endpoint,
        poll_interval=entry.poll_interval or terms.poll_interval,
        poll_timeout=entry.poll_timeout or terms.poll_timeout,
        verify=entry.verify,
        labels=tuple(sorted(entry.labels.items())),
    )
