"""Projects that are not configured one by one: all those that a credential may use."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from auditd.audit.project import Project
from auditd.servicestage.iam_answers import IamProject
from auditd.servicestage.regions import servicestage_endpoint

_PSEUDO_PROJECT = "MOS"
"""Object storage's own; listed for every account."""


class ProjectLister(Protocol):
    """The part of Cloud that is needed here."""

    async def iam_projects(
        self, credential: str, *, endpoint: str | None = None
    ) -> tuple[IamProject, ...]:
        """Raises PollError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveredProject:
    """What IAM does not tell of a project; see Project."""

    poll_interval: timedelta
    poll_timeout: timedelta
    endpoint: str | None = None
    verify: bool = False
    labels: tuple[tuple[str, str], ...] = ()


class IamDirectory:
    """Every enabled project that the credential may use, in a region with ServiceStage.

    `include` and `exclude` must match the whole IAM project name, which becomes the project's
    name. With an `endpoint` in the template the region need not be known.

    Source: IAM API reference: a project is named like its region, or `REGION_NAME`.
    """

    def __init__(
        self,
        lister: ProjectLister,
        credential: str,
        *,
        refresh_interval: timedelta,
        template: DiscoveredProject,
        include: re.Pattern[str] | None = None,
        exclude: re.Pattern[str] | None = None,
        iam_endpoint: str | None = None,
    ) -> None:
        self.name = f"iam/{credential}"
        self.refresh_interval = refresh_interval
        self._lister = lister
        self._credential = credential
        self._template = template
        self._include = include
        self._exclude = exclude
        self._iam_endpoint = iam_endpoint

    async def projects(self) -> Sequence[Project]:
        """See polling's ProjectSource."""
        listed = await self._lister.iam_projects(self._credential, endpoint=self._iam_endpoint)
        wanted = [project for project in listed if self._is_wanted(project)]
        if self._template.endpoint is None:
            known = await asyncio.to_thread(_with_servicestage, {region_of(p.name) for p in wanted})
            wanted = [project for project in wanted if region_of(project.name) in known]
        return [self._project(project) for project in wanted]

    def _is_wanted(self, project: IamProject) -> bool:
        if not project.enabled or project.name == _PSEUDO_PROJECT:
            return False
        if self._exclude is not None and self._exclude.fullmatch(project.name):
            return False
        return self._include is None or self._include.fullmatch(project.name) is not None

    def _project(self, project: IamProject) -> Project:
        template = self._template
        return Project(
            name=project.name,
            project_id=project.id,
            region=region_of(project.name),
            credential=self._credential,
            poll_interval=template.poll_interval,
            poll_timeout=template.poll_timeout,
            endpoint=template.endpoint,
            verify=template.verify,
            labels=template.labels,
        )


def region_of(name: str) -> str:
    """The region of the IAM project of this name."""
    return name.split("_", 1)[0]


def _with_servicestage(regions: Iterable[str]) -> frozenset[str]:
    """Reads files and imports the region table: not for the event loop."""
    return frozenset(region for region in regions if servicestage_endpoint(region) is not None)
