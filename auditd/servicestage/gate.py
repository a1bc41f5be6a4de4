"""Keeps a credential that is refused or throttled from being used, and a new one from being locked.

    unproven --accepted--> proven        everything passes
    unproven --refused---> held          nothing passes for HOLD_SECONDS, then unproven
    proven   --refused---> unproven      and only the refused scope is held for HOLD_SECONDS
    any      --rotated---> unproven      and every hold is lifted

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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from auditd.audit.events import CredentialRejected, Emit
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.errors import RefusedError

HOLD_SECONDS = 305.0
"""How long a refused credential rests: the five minutes of a lock, and some to be sure."""

PROBE_SECONDS = 1.0
"""How long the first call of an unproven credential may take before a second may start."""

MOST_PROBES = 2
"""Calls of an unproven credential that may be without a verdict at the same time."""

THROTTLE_SECONDS = 60.0
"""The rest after a 429 that does not say how long; up to a quarter more is added at random."""


@dataclass(slots=True, eq=False)
class Ticket:
    """Leave to send one call. To be given back with `Gate.leave`, whatever came of it."""

    scope: str
    era: int
    issued_at: float


@dataclass(frozen=True, slots=True)
class _Hold:
    scope: str
    ends_at: float
    reason: FailureReason
    message: str


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
        self._random = random
        self._emit = emit
        self._proof_seconds = proof_seconds
        self._seen_revision: int | None = None
        self._era = 0
        self._proven_until = -math.inf
        self._tickets: list[Ticket] = []
        self._hold: _Hold | None = None
        self._others_wait = False
        self._yielding: str | None = None
        self._holds: dict[str, _Hold] = {}
        self._throttled_until = -math.inf
        self._changed = asyncio.Event()

    async def enter(self, scope: str, *, deadline: float) -> Ticket:
        """Wait until a call for `scope` may be sent.

        `deadline` is an instant of the loop's clock.

        Raises:
            PollError: at once, when the credential or the scope is held (the reason it was
                refused for) or throttled beyond the deadline (`throttled`); at the deadline
                (`timeout`), when no verdict came.
        """
        while True:
            self._notice_rotation()
            self._raise_if_held(scope, deadline)
            wait_seconds = self._wait_seconds()
            if wait_seconds <= 0:
                ticket = Ticket(scope, self._era, _time())
                self._tickets.append(ticket)
                return ticket
            if _time() >= deadline:
                msg = (
                    f"credential {self._credential!r}: its first call has had no answer yet, and "
                    "nothing else is sent before that"
                )
                raise PollError(FailureReason.TIMEOUT, msg)
            await self._wait_for_change(min(wait_seconds, deadline - _time()))

    def is_open(self, ticket: Ticket) -> bool:
        """Whether what the ticket was issued on still holds, so that it may be used now."""
        return (
            ticket.era == self._era
            and self._hold is None
            and ticket.scope not in self._holds
            and self._throttled_until <= _time()
        )

    def leave(self, ticket: Ticket) -> None:
        """The call is over. Without a verdict before, the turn passes to the next who waits."""
        if ticket in self._tickets:
            self._tickets.remove(ticket)
            self._announce()

    def accepted(self, ticket: Ticket) -> None:
        """The remote side knows the credential."""
        if ticket.era != self._era:
            return
        self._hold = None
        self._proven_until = _time() + self._proof_seconds
        if self._yielding is not None:
            self._holds.pop(self._yielding, None)
            self._yielding = None
        self._announce()

    def refused(self, ticket: Ticket, error: RefusedError) -> None:
        """The remote side does not accept the credential, for this scope at least."""
        is_current = ticket.era == self._era
        if is_current and not self._is_proven():
            if self._hold is None:
                self._hold = self._new_hold(ticket.scope, error, event_scope="")
                self._holds[ticket.scope] = self._hold
                self._others_wait = False
        else:
            self._holds[ticket.scope] = self._new_hold(
                ticket.scope, error, event_scope=ticket.scope
            )
            if is_current:
                self._begin_era()
        self._announce()

    def throttled(self, seconds: float | None) -> None:
        """Nobody may send for `seconds`; None when the remote side did not say."""
        if seconds is None:
            seconds = THROTTLE_SECONDS * (1 + self._random() / 4)
        self._throttled_until = max(self._throttled_until, _time() + seconds)
        self._announce()

    def _is_proven(self) -> bool:
        return _time() < self._proven_until

    def _notice_rotation(self) -> None:
        revision = self._revision()
        if revision != self._seen_revision:
            self._seen_revision = revision
            self._hold = self._yielding = None
            self._holds.clear()
            self._begin_era()

    def _begin_era(self) -> None:
        """Become unproven; calls that are under way no longer speak for the credential."""
        self._era += 1
        self._proven_until = -math.inf
        self._tickets.clear()
        self._announce()

    def _raise_if_held(self, scope: str, deadline: float) -> None:
        now = _time()
        if self._hold is not None and self._hold.ends_at <= now:
            self._end_hold(self._hold)
        if (held := self._holds.get(scope)) is not None and held.ends_at <= now:
            del self._holds[scope]
        if (hold := self._hold or self._holds.get(scope)) is not None:
            self._others_wait |= hold.scope != scope
            raise PollError(hold.reason, hold.message)
        if self._throttled_until > max(now, deadline):
            msg = (
                f"credential {self._credential!r} is throttled: nothing is sent with it before "
                f"{self._clock(self._throttled_until - now)}"
            )
            raise PollError(FailureReason.THROTTLED, msg)

    def _end_hold(self, hold: _Hold) -> None:
        """Let another scope go first, if there is one: perhaps only this one is refused."""
        self._hold = None
        if self._others_wait:
            message = (
                f"credential {self._credential!r} was refused for {hold.scope} and waits until it "
                f"was accepted for another project, at most until {self._clock(HOLD_SECONDS)}"
            )
            self._holds[hold.scope] = replace(hold, ends_at=_time() + HOLD_SECONDS, message=message)
            self._yielding = hold.scope

    def _wait_seconds(self) -> float:
        """Zero when a call may start now; infinite when only a verdict can let it."""
        if (throttled_seconds := self._throttled_until - _time()) > 0:
            return throttled_seconds
        if self._is_proven() or not self._tickets:
            return 0.0
        if len(self._tickets) >= MOST_PROBES:
            return math.inf
        return self._tickets[0].issued_at + PROBE_SECONDS - _time()

    async def _wait_for_change(self, seconds: float) -> None:
        changed = self._changed
        with suppress(TimeoutError):
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await changed.wait()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _new_hold(self, scope: str, error: RefusedError, *, event_scope: str) -> _Hold:
        held_until = self._now() + timedelta(seconds=HOLD_SECONDS)
        whose = f" for {event_scope}" if event_scope else ""
        message = (
            f"credential {self._credential!r} is not used{whose} before "
            f"{self._clock(HOLD_SECONDS)}: {error}"
        )
        self._emit(
            CredentialRejected(self._credential, event_scope, error.reason, message, held_until)
        )
        return _Hold(scope, _time() + HOLD_SECONDS, error.reason, message)

    def _clock(self, seconds: float) -> str:
        return f"{self._now() + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


def _time() -> float:
    return asyncio.get_running_loop().time()
