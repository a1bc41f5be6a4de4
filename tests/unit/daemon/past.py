"""A past, made by the real poller, desk and store on a clock that jumps from slot to slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from auditd.audit.authorization import Listing
from auditd.audit.project import Project
from auditd.config.load import load
from auditd.config.settings import Catalog, Settings
from auditd.daemon.alert_terms import policy_of, rules_of, tree_of
from auditd.hooks.board import Board
from auditd.hooks.desk import AlertDesk
from auditd.polling.agenda import Agenda
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from tests.unit.polling.fakes import FakeCloud
from tests.unit.store.examples import Clock, opened

HEAD = """
global: {poll_interval: 5m, poll_timeout: 30s, blind_after: 3}
credentials: [{name: prod, type: token, token: t}]
"""
PROJECTS = """
projects:
  - {name: payments, project_id: 1, region: cn-north-4, credential: prod}
  - {name: orders, project_id: 2, region: cn-north-4, credential: prod}
"""


def configure(place: Path, catalog: Catalog, text: str, head: str = HEAD + PROJECTS) -> Settings:
    """The settings of this text."""
    place.touch(mode=0o600)
    place.write_text(head + text)
    return load(place, catalog, {}, on_secret=lambda _: None, monotonic=monotonic)


@dataclass
class Past:
    """What happens: `answer` is what a project lists at an instant, or raises PollError."""

    settings: Settings
    catalog: Catalog
    state: Path
    clock: Clock
    answer: Callable[[Project, datetime], Listing]

    async def pass_by(self, until: datetime, *, leaving: frozenset[str] = frozenset()) -> None:
        """Poll at each slot before that instant; then some projects leave."""
        async with opened(self.state, self.clock) as store:
            state = await store.load()
            policy = policy_of(self.settings, self.catalog)
            board = Board(
                tree_of(self.settings), hooks=[], alerts=state.alerts, groups=state.groups
            )
            desk = AlertDesk(
                board,
                store,
                rules_of(self.settings, policy),
                emit=lambda _: None,
                now=self.clock,
            )
            fleet = Fleet(state.snapshot_of)
            poller = Poller(
                source=FakeCloud(self._list),
                fleet=fleet,
                policy=policy,
                journal=desk,
                emit=lambda _: None,
                now=self.clock,
                monotonic=lambda: 0.0,
            )
            for project in self.settings.projects:
                fleet.join(project)
            await self._poll(poller, until)
            for name in sorted(leaving):
                await desk._depart(name)

    async def _poll(self, poller: Poller, until: datetime) -> None:
        agenda = Agenda()
        agenda.replace(self.settings.projects, self.clock())
        slots = agenda.next_slots()
        while (at := min(slots[name] for name in slots)) < until:
            self.clock.at = max(at, self.clock.at)
            for slot in agenda.due(self.clock()):
                await poller.poll(slot)
        self.clock.at = until

    async def _list(self, project: Project) -> Listing:
        return self.answer(project, self.clock())


MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
