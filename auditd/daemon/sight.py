"""What each configured credential can see, whether or not it is watched."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from auditd.audit.failure import PollError
from auditd.daemon.once import DiscoveryError, find_projects
from auditd.daemon.watch import Watch
from auditd.servicestage.directory import region_of
from auditd.servicestage.iam_answers import IamProject
from auditd.servicestage.regions import known_regions


@dataclass(frozen=True, slots=True)
class SeenProject:
    """One IAM project as one credential sees it. `note` says what the configuration makes of it."""

    credential: str
    name: str
    project_id: str
    region: str
    note: str


@dataclass(frozen=True, slots=True)
class Sight:
    """All that was seen. `problems` has a sentence for each credential that could not ask."""

    projects: tuple[SeenProject, ...]
    problems: tuple[str, ...]


async def look_around(watch: Watch) -> Sight:
    """Ask IAM with every credential, all at once."""
    try:
        watched = {(p.project_id, p.region): p.name for p in await find_projects(watch)}
        problems = []
    except DiscoveryError as error:
        watched, problems = {}, [str(error)]
    names = [given.name for given in watch.settings.credentials]
    answers = await asyncio.gather(
        *(watch.cloud.iam_projects(name) for name in names), return_exceptions=True
    )
    seen: list[SeenProject] = []
    regions = known_regions()
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, PollError):
            problems.append(f"credential {name}: {answer}")
        elif isinstance(answer, BaseException):
            raise answer
        else:
            for project in answer:
                region = region_of(project.name)
                note = _note(project, watched.get((project.id, region)), regions)
                seen.append(SeenProject(name, project.name, project.id, region, note))
    return Sight(tuple(seen), tuple(problems))


def _note(project: IamProject, watched_as: str | None, regions: frozenset[str]) -> str:
    if watched_as is not None:
        return f"watched as {watched_as}"
    if not project.enabled:
        return "disabled"
    return "not watched" if region_of(project.name) in regions else "no ServiceStage in this region"
