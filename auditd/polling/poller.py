"""One poll, from its slot to what is known afterwards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from auditd.audit.authorization import Listing
from auditd.audit.events import Emit, PollFailed, PollFinished
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.run import Policy, distinct
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import failed, rejudged, succeeded
from auditd.audit.verification import Verification
from auditd.audit.verify_due import names_to_verify
from auditd.polling.agenda import Slot
from auditd.polling.fleet import Fleet
from auditd.polling.ports import AuthorizationSource, Journal, Turn

VERIFY_EVERY = timedelta(hours=1)
"""A probe uses the owner's token at the Git host and counts against its rate limit there."""
VERIFY_AT_MOST = 5
"""Probes in one poll, so that a long list is exercised little by little."""

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
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Of the projects of which something is being written now."""

    def adopt(self, policy: Policy) -> None:
        """Judge by this policy from now on; see `rejudge` for what was judged before."""
        self._policy = policy

    async def rejudge(self, project: str) -> None:
        """Judge what is known of a project anew, without a poll: policy or settings changed."""
        async with self._writing(project):
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
        timing = _Timing(slot, self._now, self._monotonic)
        try:
            async with self._source.turn(slot.project) as turn:
                timing.begin()
                known = self._known(slot).judgement
                listing = await turn.list_authorizations(known.listing if known else None)
                timing.end()
                verifications = await self._verify(slot, listing, turn)
            async with self._writing(slot.project.name):
                await self._succeed(slot, listing, verifications, timing)
        except PollError as error:
            await self._fail(slot, error, timing)
        except Exception as error:  # noqa: BLE001 - the loop must survive; logged and counted
            _log.exception("poll of project %s failed inside this program", slot.project.name)
            text = f"{type(error).__name__} inside this program; please report it with its log"
            await self._fail(slot, PollError(FailureReason.INTERNAL, text), timing)

    async def _succeed(
        self,
        slot: Slot,
        listing: Listing,
        verifications: Mapping[str, Verification],
        timing: _Timing,
    ) -> None:
        known = self._known(slot)
        is_first = self._fleet.is_untried(slot.project.name)
        snapshot, events = succeeded(
            # Whoever reads this process's log from its start finds every finding in it.
            replace(known, findings=()) if is_first else known,
            listing,
            self._policy,
            at=self._now(),
            verifications={**known.verifications, **verifications},
        )
        await self._journal.record(snapshot)
        self._fleet.publish(snapshot)
        self._emit(
            PollFinished(
                project=slot.project.name,
                duration_seconds=timing.duration_seconds(),
                lag_seconds=timing.lag_seconds(),
                authorizations=len(snapshot.authorizations or ()),
                findings=len(snapshot.findings),
                warnings=listing.warnings,
                is_news=bool(events) or is_first or not known.is_up,
            )
        )
        for event in events:
            self._emit(event)

    async def _fail(self, slot: Slot, error: PollError, timing: _Timing) -> None:
        async with self._writing(slot.project.name):
            snapshot, events = failed(self._known(slot), error, self._policy, at=self._now())
            await self._journal.record(snapshot)
            self._fleet.publish(snapshot)
        self._emit(
            PollFailed(
                project=slot.project.name,
                reason=error.reason,
                message=str(error),
                duration_seconds=timing.duration_seconds(),
                lag_seconds=timing.lag_seconds(),
                failures_in_a_row=snapshot.failures_in_a_row,
            )
        )
        for event in events:
            self._emit(event)

    def _writing(self, project: str) -> asyncio.Lock:
        """Held from reading what is known of a project until what follows is published."""
        return self._locks.setdefault(project, asyncio.Lock())

    def _known(self, slot: Slot) -> ProjectSnapshot:
        return self._fleet.get(slot.project.name) or ProjectSnapshot(slot.project)

    async def _verify(self, slot: Slot, listing: Listing, turn: Turn) -> Mapping[str, Verification]:
        """Exercise the stored credentials that are due, as far as the time reaches."""
        verifications: dict[str, Verification] = {}
        if not slot.project.verify:
            return verifications
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


class _Timing:
    """How late a poll could begin and how long its list took."""

    def __init__(
        self, slot: Slot, now: Callable[[], datetime], monotonic: Callable[[], float]
    ) -> None:
        self._slot = slot
        self._now = now
        self._monotonic = monotonic
        self._lag: float | None = None
        self._begun: float | None = None
        self._ended: float | None = None

    def begin(self) -> None:
        """The request can be sent now."""
        self._lag = self._lag_now()
        self._begun = self._monotonic()

    def end(self) -> None:
        """The list is here."""
        self._ended = self._monotonic()

    def lag_seconds(self) -> float:
        """From the slot to the moment the request could be sent; to now if it never could."""
        return self._lag_now() if self._lag is None else self._lag

    def duration_seconds(self) -> float:
        """From that moment to the list, or to now; 0 if the request was never sent."""
        if self._begun is None:
            return 0.0
        return (self._monotonic() if self._ended is None else self._ended) - self._begun

    def _lag_now(self) -> float:
        return max(0.0, (self._now() - self._slot.at).total_seconds())
