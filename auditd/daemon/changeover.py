"""From one configuration to another while everything runs.

All that can fail is done first and changes nothing; then everything is exchanged in one step in
which nothing else runs; what is left is to judge anew what the polls found before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from auditd.config.settings import Settings
from auditd.daemon.alarms import Alarms
from auditd.daemon.change import counts_of, needs_restart
from auditd.daemon.planning import plan_both
from auditd.daemon.watch import Watch
from auditd.polling.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class Changed:
    """What a changeover did."""

    counts: Mapping[str, int]
    """See `change.counts_of`."""
    warnings: tuple[str, ...]
    """What is doubtful, and what has to wait for a restart."""
    to_judge: tuple[str, ...]
    """The names of projects whose findings or alerts may be others now, see `judge`."""


class Changeover:
    """Exchanges what is in use.

    Args:
        watch: the parts that see.
        alarms: the parts that tell.
        scheduler: polls what `watch` has.
        on_changed: told of the settings that are in use now, in the step of the exchange.
    """

    def __init__(
        self,
        watch: Watch,
        alarms: Alarms,
        scheduler: Scheduler,
        *,
        on_changed: Callable[[Settings], None],
    ) -> None:
        self._watch = watch
        self._alarms = alarms
        self._scheduler = scheduler
        self._on_changed = on_changed

    async def to(self, settings: Settings) -> Changed:
        """Go by other settings from now on.

        Raises:
            UnusableSettingError: something cannot be built, and then nothing was changed.
        """
        seeing, telling = await asyncio.to_thread(
            plan_both,
            partial(self._watch.prepare, settings),
            partial(self._alarms.prepare, settings),
        )
        async with self._alarms.board.lock:
            groups = await self._alarms.regrouped(telling)
            # No await from here to the end of the block: nobody sees one half of it.
            before, rules, policy = self._watch.settings, self._alarms.rules, self._watch.policy
            self._watch.adopt(seeing)
            self._alarms.adopt(telling, groups)
            projects = self._scheduler.adopt(settings.projects, self._watch.sources)
            self._on_changed(settings)
        await self._watch.tidy()
        # Checks have no equality of their own; what they are made of has.
        is_judged_alike = (before.checks, policy.blind_after, rules) == (
            settings.checks,
            seeing.policy.blind_after,
            telling.rules,
        )
        to_judge = [project.name for project in projects.updated]
        if not is_judged_alike:
            to_judge = [snapshot.project.name for snapshot in self._watch.fleet.snapshots()]
        return Changed(
            counts=counts_of(before, settings, projects),
            warnings=(*settings.warnings, *needs_restart(before, settings)),
            to_judge=tuple(to_judge),
        )

    async def judge(self, projects: Iterable[str]) -> None:
        """Judge anew what is known of projects, without the network."""
        for project in projects:
            await self._watch.poller.rejudge(project)
            await asyncio.sleep(0)  # a project without changes takes no turn by itself
