"""The polls of a daemon as jobs of an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NoReturn

from auditd.engine.port import Engine, Job
from auditd.polling.agenda import Slot
from auditd.polling.scheduler import Scheduler

_POLL = "poll"


def job_of(project: str, at: datetime) -> Job:
    """The poll of a project for a slot."""
    return Job(_POLL, project, at)


def dispatch_to(engine: Engine) -> Callable[[Sequence[Slot]], None]:
    """Has an engine in this process do all that is due."""

    def dispatch(slots: Sequence[Slot]) -> None:
        engine.submit([job_of(slot.project.name, slot.at) for slot in slots])

    return dispatch


async def work(engine: Engine, scheduler: Scheduler) -> NoReturn:
    """Poll what the engine has until cancelled."""
    await engine.run({_POLL: lambda job: scheduler.perform(job.key, job.slot)})
