"""Where projects are found, out of settings."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from auditd.config.discovery import Discovery, FileDiscovery, IamDiscovery
from auditd.config.project_file import ProjectFiles
from auditd.config.project_terms import ProjectTerms
from auditd.config.settings import Settings
from auditd.polling.ports import ProjectSource
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.directory import DiscoveredProject, IamDirectory

Sources: TypeAlias = Mapping[tuple[Discovery, ProjectTerms | None], ProjectSource]
"""Sources by what they were made from."""


def make_sources(
    settings: Settings,
    cloud: Cloud,
    on_warnings: Callable[[Sequence[str]], None],
    *,
    former: Sources,
) -> Sources:
    """All sources, each with a name of its own; the very same where nothing of one changed."""
    made: dict[tuple[Discovery, ProjectTerms | None], ProjectSource] = {}
    keys = [_key(discovery, settings.project_terms) for discovery in settings.discovery]
    taken = {former[key].name for key in keys if key in former}
    for key in keys:
        if key not in made:
            made[key] = former.get(key) or _named(
                _source(key[0], settings.project_terms, cloud, on_warnings), taken
            )
    return made


def _key(discovery: Discovery, terms: ProjectTerms) -> tuple[Discovery, ProjectTerms | None]:
    return discovery, terms if isinstance(discovery, FileDiscovery) else None


def _named(source: ProjectSource, taken: set[str]) -> ProjectSource:
    """The source, with a number behind its name when another has it already."""
    name, number = source.name, 1
    while source.name in taken:
        number += 1
        source.name = f"{name}#{number}"
    taken.add(source.name)
    return source


def _source(
    discovery: Discovery,
    terms: ProjectTerms,
    cloud: Cloud,
    on_warnings: Callable[[Sequence[str]], None],
) -> ProjectSource:
    match discovery:
        case FileDiscovery():
            return ProjectFiles(discovery, terms=terms, environ=os.environ, on_warnings=on_warnings)
        case IamDiscovery():
            return IamDirectory(
                cloud,
                discovery.credential,
                iam_endpoint=discovery.iam_endpoint,
                refresh_interval=discovery.refresh_interval,
                include=discovery.include,
                exclude=discovery.exclude,
                template=DiscoveredProject(
                    poll_interval=discovery.poll_interval,
                    poll_timeout=discovery.poll_timeout,
                    endpoint=discovery.endpoint,
                    verify=discovery.verify,
                    labels=discovery.labels,
                ),
            )
