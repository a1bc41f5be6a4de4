"""One round of polls: every project once, and then it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from auditd.audit.failure import PollError
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.daemon.watch import Watch, utc_now
from auditd.polling.agenda import Slot
from auditd.polling.roster import Roster

PATIENCE = timedelta(minutes=15)
"""How long a project waits for its turn: no next slot comes that could do instead."""


class DiscoveryError(Exception):
    """A source of projects could not be read, so the fleet is not known."""


async def find_projects(watch: Watch) -> Sequence[Project]:
    """The configured and the discovered projects.

    Raises:
        DiscoveryError: some source could not be read; the message names each.
    """
    roster = Roster(watch.settings.projects, [source.name for source in watch.sources])
    problems = []
    for source in watch.sources:
        try:
            roster.refresh(source.name, await source.projects())
        except (PollError, ValueError) as error:
            problems.append(f"discovery {source.name}: {error}")
    if problems:
        raise DiscoveryError("\n".join(problems))
    return roster.projects


async def poll_once(
    watch: Watch, projects: Sequence[Project], on_polled: Callable[[], None]
) -> tuple[ProjectSnapshot, ...]:
    """Poll each project once, as many at a time as the configuration allows.

    `on_polled` is called after each. Returns their snapshots; a poll that failed is one too.
    """

    async def poll(project: Project) -> None:
        patient = replace(project, poll_interval=PATIENCE)
        watch.fleet.join(patient)
        await watch.poller.poll(Slot(patient, utc_now()))
        on_polled()

    async with asyncio.TaskGroup() as group:
        for project in projects:
            group.create_task(poll(project), name=f"poll:{project.name}")
    return tuple(watch.fleet.snapshots())
