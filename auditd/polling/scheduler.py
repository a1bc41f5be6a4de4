"""Joins agenda, ticker, polls and discovery into one thing that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from auditd.audit.events import Emit, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.audit.project import Project
from auditd.audit.transition import departed
from auditd.polling.agenda import Agenda, Slot
from auditd.polling.clock import ClockWatch, Stopwatch
from auditd.polling.discovery import Discovery, read_source
from auditd.polling.fleet import Fleet
from auditd.polling.poller import Poller
from auditd.polling.polls import Polls
from auditd.polling.ports import Journal, ProjectSource
from auditd.polling.roster import Roster, RosterChange
from auditd.polling.ticker import Ticker, TickSource


class Scheduler:
    """Polls every project of the fleet at its slots until cancelled.

    Args:
        dispatch: gets the slots that are due, and sees to it that each is performed, here or by
            another replica. It returns at once.
        is_shared: other replicas have the same projects, see Agenda; who has a slot performed
            tells of those that were missed before it, because another may have seen to them.
        read: what a source gives; by itself, or as replicas share it.
    """

    def __init__(
        self,
        *,
        poller: Poller,
        journal: Journal,
        fleet: Fleet,
        configured: Sequence[Project],
        sources: Sequence[ProjectSource],
        dispatch: Callable[[Sequence[Slot]], None],
        emit: Emit,
        on_lag: Callable[[float], None],
        on_step: Callable[[], None],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        is_shared: bool = False,
        make_ticker: Callable[
            [Callable[[], None], Callable[[], datetime | None], Callable[[], timedelta]],
            TickSource,
        ] = Ticker,
        read: Callable[[ProjectSource], Awaitable[Sequence[Project]]] = read_source,
    ) -> None:
        self._journal = journal
        self._fleet = fleet
        self._emit = emit
        self._on_step = on_step
        self._now = now
        self._agenda = Agenda(is_shared=is_shared)
        self._is_shared = is_shared
        self._dispatch = dispatch
        self._roster = Roster(configured, [source.name for source in sources])
        self._discovery = Discovery(
            roster=self._roster,
            sources=sources,
            on_change=self._change,
            on_read=self._note_progress,
            emit=emit,
            read=read,
        )
        self._poller = poller
        self.complete = asyncio.Event()
        """Set once every source was read and every project was tried, successfully or not."""
        self.fleet_known = asyncio.Event()
        """Set once every source has given its projects: whoever is missing then has left."""
        self._ticks = Stopwatch(now, monotonic)
        self._watch = ClockWatch(Stopwatch(now, monotonic), on_lag=on_lag, on_step=self._stepped)
        self._ticker = make_ticker(self._tick, self._agenda.next_due, self._agenda.pause)
        self._polls = Polls(poller.poll, emit, on_polled=self._note_progress)
        for project in configured:
            fleet.join(project)

    @property
    def unread_sources(self) -> frozenset[str]:
        """The discovery sources that were not read once yet."""
        return self._discovery.unread

    def adopt(
        self, configured: Sequence[Project], sources: Sequence[ProjectSource]
    ) -> RosterChange:
        """Have these configured projects and sources from now on. Returns what changed by it.

        A project whose interval did not change keeps its next slot; one whose settings changed
        keeps what is known of it. What sources bring later is not part of the change.
        """
        change = self._roster.adopt(configured, [source.name for source in sources])
        self._discovery.adopt(sources)
        if change:
            self._change(change)
        self._note_progress()
        return change

    def next_polls(self) -> Mapping[str, datetime]:
        """Project name -> its next slot."""
        return self._agenda.next_slots()

    async def poll_now(self, name: str) -> None:
        """Return once a project was polled, beside its slots; see Polls.

        Raises:
            LookupError: there is no project of this name.
            PollRefusedError: too many are asked for at once, or nothing is polled now.
        """
        known = self._fleet.get(name)
        if known is None:
            msg = f"there is no project {name!r}"
            raise LookupError(msg)
        await self._polls.poll_now(Slot(known.project, self._now()))

    async def perform(self, name: str, at: datetime) -> None:
        """Poll a project for a slot that was dispatched, unless its poll is known already.

        Returns once it was polled; nothing is done for a project that has left.
        """
        known = self._fleet.get(name)
        if known and not self._poller.is_outdated(slot := Slot(known.project, at)):
            await self._polls.perform(slot)

    async def reread(self, source: str) -> None:
        """Read a source now: another replica found something else in it."""
        await self._discovery.reread(source)

    def note_polled(self) -> None:
        """Another replica has polled something."""
        self._note_progress()

    async def run(self) -> None:
        """Dispatch what is due, and poll what is asked for, until cancelled."""
        self._agenda.replace(self._roster.projects, self._now())
        self._note_progress()
        async with self._polls:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._watch.run(), name="clock")
                    group.create_task(self._discovery.run(), name="discovery")
                    self._ticker.start()
            finally:
                self._ticker.close()

    def _tick(self) -> None:
        stepped = self._ticks.look().step_seconds
        reason = SkipReason.CLOCK if stepped else SkipReason.BLOCKED
        if slots := self._agenda.due(self._now()):
            for slot in slots:
                if slot.missed and not self._is_shared:
                    self._emit(PollSkipped(slot.project.name, reason, slot.missed))
            self._dispatch(slots)

    def _note_progress(self) -> None:
        if self.complete.is_set() and self.fleet_known.is_set():
            return
        if not self._discovery.unanswered:
            self.fleet_known.set()
        if not self._fleet.untried and not self._discovery.unread:
            self.complete.set()

    def _stepped(self, seconds: float) -> None:
        if seconds < 0:
            self._agenda.realign(self._now())
        self._ticker.realign()
        self._on_step()

    def _change(self, change: RosterChange) -> None:
        for project in change.removed:
            self._polls.cancel(project.name)
            for event in departed(self._fleet.leave(project.name), at=self._now()):
                self._emit(event)
            self._journal.depart(project.name)
        for project in (*change.updated, *change.added):
            self._fleet.join(project)
        self._agenda.replace(self._roster.projects, self._now())
        self._ticker.realign()
