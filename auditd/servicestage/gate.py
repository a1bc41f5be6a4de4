"""Keeps a credential that is refused or throttled from being used, and a new one from being locked.

    unproven --accepted--> proven        everything passes
    unproven --refused---> held          nothing passes for HOLD_SECONDS, then unproven
    proven   --refused---> unproven      and only the refused scope is held for HOLD_SECONDS
    any      --rotated---> unproven      and every hold is lifted
    any      --clock set-> unproven      and every hold is lifted but that of a lock

While unproven one call goes first and the others wait for its verdict. So a wrong key costs one
request, or two when the first is slow; a revoked one those under way and one more; and a single
project that is configured wrongly holds up nobody else for long: after a hold another goes first.

Source: Huawei Cloud API gateway FAQ: more than five consecutive failures lock an access key for
five minutes.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from auditd.audit.events import Emit
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.instant import format_instant
from auditd.servicestage.errors import RefusedError
from auditd.servicestage.holds import Hold, Holds
from auditd.servicestage.throttle import Throttle

PROBE_SECONDS = 1.0
"""How long the first call of an unproven credential may take before a second may start."""

MOST_PROBES = 2
"""Calls of an unproven credential that may be without a verdict at the same time."""

_SHORTEST_WAIT_SECONDS = 0.001
"""A timer of less may be over before its instant, and then another, without end."""


@dataclass(slots=True, eq=False)
class Ticket:
    """Leave to send one call. To be given back with `Gate.leave`, whatever came of it."""

    scope: str
    era: int
    issued_at: float


class Gate:
    """One credential's permission to send.

    `revision` changes when the credential's secret does. An acceptance counts for
    `proof_seconds`. Holds are measured on the loop's monotonic clock; `now` is for messages.
    """

    def __init__(
        self,
        credential: str,
        *,
        revision: Callable[[], int],
        now: Callable[[], datetime],
        random: Callable[[], float],
        emit: Emit,
        proof_seconds: float = math.inf,
    ) -> None:
        self._credential = credential
        self._revision = revision
        self._now = now
        self._proof_seconds = proof_seconds
        self._seen_revision: int | None = None
        self._era = 0
        self._proven_until = -math.inf
        self._tickets: dict[Ticket, None] = {}
        """Without a verdict, in the order of issue."""
        self._holds = Holds(credential, now=now, emit=emit)
        self._throttle = Throttle(credential, now=now, random=random, emit=emit)
        self._waiting: dict[object, asyncio.Future[None]] = {}
        """Those who wait, in the order of their coming."""

    def enter_at_once(self, scope: str, now: float, *, deadline: float) -> Ticket | None:
        """As `enter`, but None where that would wait. `now` is the loop's clock."""
        if self._wait_seconds(scope, deadline, now) > 0:
            return None
        if self._waiting:
            self._wake_next()  # it has another time to wait until, now that this one went first
        return self._issue(scope, now)

    async def enter(self, scope: str, *, deadline: float) -> Ticket:
        """Wait until a call for `scope` may be sent.

        `deadline` is an instant of the loop's clock.

        Raises:
            PollError: at once, when the credential or the scope is held (the reason it was
                refused for) or throttled beyond the deadline (`throttled`); at the deadline
                (`timeout`), when no verdict came.
        """
        comer = object()
        try:
            while (wait_seconds := self._wait_seconds(scope, deadline, _time())) > 0:
                await self._wait_for_change(comer, wait_seconds)
            return self._issue(scope, _time())
        finally:
            self._waiting.pop(comer, None)
            self._wake_next()  # to take this one's turn, or to be the second probe in a second

    def _issue(self, scope: str, now: float) -> Ticket:
        ticket = Ticket(scope, self._era, now)
        self._tickets[ticket] = None
        return ticket

    def is_open(self, ticket: Ticket) -> bool:
        """Whether what the ticket was issued on still holds, so that it may be used now."""
        return (
            ticket.era == self._era
            and not self._holds.has(ticket.scope)
            and not self._throttle.is_on
        )

    def leave(self, ticket: Ticket) -> None:
        """The call is over. Without a verdict before, the turn passes to the next who waits."""
        if ticket in self._tickets:
            del self._tickets[ticket]
            if self._waiting:
                self._wake_next()

    def accepted(self, ticket: Ticket) -> None:
        """The remote side knows the credential."""
        if ticket.era != self._era:
            return
        self._holds.prove()
        if self._proven_until < math.inf:
            self._proven_until = _time() + self._proof_seconds
        if self._waiting:
            self._announce()

    def refused(self, ticket: Ticket, error: RefusedError) -> None:
        """The remote side does not accept the credential, for this scope at least."""
        is_current = ticket.era == self._era
        if is_current and _time() >= self._proven_until:
            self._holds.hold_all(ticket.scope, error)
        else:
            self._holds.hold(ticket.scope, error)
            if is_current:
                self._begin_era()
        self._announce()

    def throttled(self, seconds: float | None) -> None:
        """Nobody may send for `seconds`; None when the remote side did not say."""
        self._throttle.begin(seconds)
        self._announce()

    def lift_holds(self) -> None:
        """Let what was refused be tried again: the clock that it was signed by has been set.

        What is locked stays held: each refusal would lock it anew. So a clock that is set over
        and over cannot keep a credential locked.
        """
        if self._holds.lift():
            self._begin_era()

    def _notice_rotation(self) -> None:
        revision = self._revision()
        if revision != self._seen_revision:
            self._seen_revision = revision
            self._holds.clear()
            self._begin_era()

    def _begin_era(self) -> None:
        """Become unproven; calls that are under way no longer speak for the credential."""
        self._era += 1
        self._proven_until = -math.inf
        self._tickets.clear()
        self._announce()

    def _wait_seconds(self, scope: str, deadline: float, now: float) -> float:
        """Zero when a call may start now. Raises what `enter` does."""
        self._notice_rotation()
        hold = self._holds.find(scope)
        if hold or self._throttle.ends_at > max(now, deadline):
            raise self._refusal(hold)
        wait_seconds = self._until_next_probe(now)
        if wait_seconds <= 0:
            return 0.0
        if now >= deadline:
            msg = (
                f"credential {self._credential!r}: its first call has had no answer yet, and "
                "nothing else is sent before that"
            )
            raise PollError(FailureReason.TIMEOUT, msg)
        return min(wait_seconds, deadline - now)

    def _refusal(self, hold: Hold | None) -> PollError:
        """Why nothing is sent: a hold, or else the throttle."""
        if hold:
            return PollError(hold.reason, hold.message)
        until = self._now() + timedelta(seconds=self._throttle.left_seconds)
        msg = (
            f"credential {self._credential!r} is throttled: nothing is sent with it before "
            f"{format_instant(until)}"
        )
        return PollError(FailureReason.THROTTLED, msg)

    def _until_next_probe(self, now: float) -> float:
        """Zero when a call may start now; infinite when only a verdict can let it."""
        if self._throttle.ends_at > now:
            return self._throttle.ends_at - now
        if now < self._proven_until or not self._tickets:
            return 0.0
        if len(self._tickets) >= MOST_PROBES:
            return math.inf
        return next(iter(self._tickets)).issued_at + PROBE_SECONDS - now

    async def _wait_for_change(self, comer: object, seconds: float) -> None:
        woken = self._waiting[comer] = asyncio.get_running_loop().create_future()
        with suppress(TimeoutError):
            seconds = max(seconds, _SHORTEST_WAIT_SECONDS)
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await woken

    def _announce(self) -> None:
        """All who wait look again."""
        for woken in self._waiting.values():
            if not woken.done():
                woken.set_result(None)

    def _wake_next(self) -> None:
        """One looks again: if all did, a thousand that wait would cost a million looks."""
        woken = next(iter(self._waiting.values()), None)
        if woken and not woken.done():
            woken.set_result(None)


def _time() -> float:
    return asyncio.get_running_loop().time()
