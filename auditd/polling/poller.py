"""One poll, from its slot to what is known afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias
from weakref import WeakValueDictionary

from auditd.alerting.superseded import SupersededError
from auditd.audit.authorization import Listing
from auditd.audit.events import Emit, Event, PollFailed, PollFinished
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.run import Policy, distinct
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import failed, recalled, rejudged, succeeded
from auditd.audit.verification import Verification
from auditd.audit.verify_due import names_to_verify
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.polling.ports import AuthorizationSource, Journal, Turn
from auditd.polling.timing import Timing

VERIFY_EVERY = timedelta(hours=1)
"""A probe uses the owner's token at the Git host and counts against its rate limit there."""
VERIFY_AT_MOST = 5
"""Probes in one poll, so that a long list is exercised little by little."""
TRIES = 3
"""How often a poll is recorded before it is dropped, when other replicas change its project."""
AHEAD_INTERVALS = 2
"""How far the clock of another replica may be ahead."""

_Outcome: TypeAlias = tuple[ProjectSnapshot, tuple[Event, ...]]
"""What is known after a poll, and what is told of it."""

_log = logging.getLogger(__name__)


class Poller:
    """Polls one project for whoever asks, and says what the policy makes of its list."""

    def __init__(
        self,
        *,
        source: AuthorizationSource,
        fleet: Fleet,
        policy: Policy,
        journal: Journal,
        emit: Emit,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._source = source
        self._fleet = fleet
        self._policy = policy
        self._journal = journal
        self._emit = emit
        self._now = now
        self._monotonic = monotonic
        self._elsewhere: dict[str, datetime] = {}
        """When other replicas polled projects last."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Of the projects of which something is being written now."""

    def adopt(self, policy: Policy) -> None:
        """Judge by this policy from now on; see `rejudge` for what was judged before."""
        self._policy = policy

    def recalled(self, snapshot: ProjectSnapshot) -> ProjectSnapshot:
        """One that was stored, here or by another replica, with what the policy says of it now."""
        return recalled(snapshot, self._policy)

    async def rejudge(self, project: str) -> None:
        """Judge what is known of a project anew, without a poll: policy or settings changed."""
        try:
            async with self._writing(project):
                await self._rejudge(project)
        except SupersededError:  # by what is known then the next poll judges
            await self._journal.catch_up()

    async def _rejudge(self, project: str) -> None:
        known = self._fleet.get(project)
        if known is None:
            return
        snapshot, events = rejudged(known, self._policy, at=self._now())
        self._fleet.amend(snapshot)
        if known.attempted_at is not None:
            await self._journal.record(snapshot)
        for event in events:
            self._emit(event)

    async def poll(self, slot: Slot) -> None:
        """List, check, publish and tell. Raises nothing but CancelledError."""
        timing = Timing(slot, self._now, self._monotonic)
        verifications: Mapping[str, Verification] = {}
        try:
            async with self._source.turn(slot.project) as turn:
                timing.begin()
                known = self._known(slot).judgement
                listing = await turn.list_authorizations(known.listing if known else None)
                timing.end()
                if slot.project.verify:
                    verifications = await self._verify(slot, listing, turn)
            await self._record(slot, partial(self._succeed, listing, verifications, timing))
        except PollError as error:
            await self._record(slot, partial(self._fail, error, timing))
        except Exception as error:  # noqa: BLE001 - the loop must survive; logged and counted
            _log.exception("poll of project %s failed inside this program", slot.project.name)
            text = f"{type(error).__name__} inside this program; please report it with its log"
            failure = PollError(FailureReason.INTERNAL, text)
            await self._record(slot, partial(self._fail, failure, timing))

    def _succeed(
        self,
        listing: Listing,
        verifications: Mapping[str, Verification],
        timing: Timing,
        known: ProjectSnapshot,
    ) -> _Outcome:
        name = known.project.name
        is_first = self._fleet.is_untried(name)
        snapshot, events = succeeded(
            # Whoever reads this process's log from its start finds every finding in it.
            replace(known, findings=()) if is_first else known,
            listing,
            self._policy,
            at=self._now(),
            verifications={**known.verifications, **verifications}
            if verifications
            else known.verifications,
        )
        finished = PollFinished(
            project=name,
            duration_seconds=timing.duration_seconds,
            lag_seconds=timing.lag_seconds,
            authorizations=len(snapshot.authorizations or ()),
            findings=len(snapshot.findings),
            warnings=listing.warnings,
            is_news=bool(events) or is_first or not known.is_up,
        )
        return snapshot, (finished, *events)

    def _fail(self, error: PollError, timing: Timing, known: ProjectSnapshot) -> _Outcome:
        timing.end()
        snapshot, events = failed(known, error, self._policy, at=self._now())
        told = PollFailed(
            project=known.project.name,
            reason=error.reason,
            message=str(error),
            duration_seconds=timing.duration_seconds,
            lag_seconds=timing.lag_seconds,
            failures_in_a_row=snapshot.failures_in_a_row,
        )
        return snapshot, (told, *events)

    async def _record(self, slot: Slot, conclude: Callable[[ProjectSnapshot], _Outcome]) -> None:
        """Show and record what follows from what is known, and tell of it.

        What says nothing new is noted without waiting. All else is recorded, once more when
        another replica was faster, but not over a later poll of another's.
        """
        name = slot.project.name
        outcome = None
        if name not in self._locks and not self.is_outdated(slot):
            outcome = conclude(self._known(slot))
            if self._journal.note(outcome[0]):
                self._publish(outcome)
                return
        for _ in range(TRIES):
            try:
                async with self._writing(name):
                    if self.is_outdated(slot):
                        return
                    known = self._known(slot)
                    outcome = outcome or conclude(known)
                    await self._show_and_record(known, outcome[0])
                    self._publish(outcome)
                    return
            except SupersededError:
                outcome = None
                await self._journal.catch_up()
        _log.warning("the poll of project %s is dropped: others changed it", name)

    async def _show_and_record(self, known: ProjectSnapshot, snapshot: ProjectSnapshot) -> None:
        """What is seen is shown at once, but counts as polled, and fires, once it is written.

        Raises:
            SupersededError: another replica was faster; what was known before is shown again.
        """
        self._fleet.amend(snapshot)
        try:
            await self._journal.record(snapshot)
        except SupersededError:
            self._fleet.amend(known)
            raise

    def _publish(self, outcome: _Outcome) -> None:
        snapshot, events = outcome
        self._fleet.publish(snapshot)
        for event in events:
            self._emit(event)

    def polled_elsewhere(self, project: str, at: datetime) -> None:
        """Another replica has tried a project at that instant."""
        self._elsewhere[project] = at

    def is_outdated(self, slot: Slot) -> bool:
        """Whether another replica has polled the project since the slot.

        A poll that lies far ahead is of a replica whose clock was set back since.
        """
        at = self._elsewhere.get(slot.project.name)
        if at is None or at < slot.at:
            return False
        return at <= self._now() + AHEAD_INTERVALS * slot.project.poll_interval

    @property
    def busy(self) -> frozenset[str]:
        """The projects of which something is being written now."""
        return frozenset(name for name, lock in self._locks.items() if lock.locked())

    def _writing(self, project: str) -> asyncio.Lock:
        """Held from reading what is known of a project until what follows is published."""
        return self._locks.setdefault(project, asyncio.Lock())

    def _known(self, slot: Slot) -> ProjectSnapshot:
        return self._fleet.get(slot.project.name) or ProjectSnapshot(slot.project)

    async def _verify(self, slot: Slot, listing: Listing, turn: Turn) -> Mapping[str, Verification]:
        """Exercise the stored credentials that are due, as far as the time reaches."""
        verifications: dict[str, Verification] = {}
        names = names_to_verify(
            self._known(slot),
            distinct(listing.authorizations),
            self._now(),
            every=VERIFY_EVERY,
            at_most=VERIFY_AT_MOST,
        )
        try:
            async with asyncio.timeout(slot.project.poll_timeout.total_seconds()):
                for name in names:
                    verifications[name] = Verification(await turn.verify(name), self._now())
        except (PollError, TimeoutError) as error:
            # The list did come, so this poll has not failed. The next one will tell of it.
            _log.info("verification of project %s stopped: %s", slot.project.name, error)
        return verifications
