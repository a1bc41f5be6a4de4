"""Sends requests with one credential: admitted by its gate, paced by its lane, authenticated."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Self

from auditd.audit.credential import CredentialStatus
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.quick import quick
from auditd.servicestage.channel import Channel
from auditd.servicestage.credentials.port import Credential, Scope
from auditd.servicestage.deadlines import Deadlines
from auditd.servicestage.errors import RefusedError, ThrottledError
from auditd.servicestage.faults import classify
from auditd.servicestage.gate import Gate, Ticket
from auditd.servicestage.lane import Lane
from auditd.servicestage.message import Answer, Request, host_of

_SAID_TO_KNOWN_CALLERS = frozenset(
    {FailureReason.FORBIDDEN, FailureReason.NOT_FOUND, FailureReason.BAD_REQUEST}
)
"""Failures that come from behind authentication, and so prove the credential."""

_OF_THE_CREDENTIAL = (RefusedError, ThrottledError)

_UNAUTHORIZED = int(HTTPStatus.UNAUTHORIZED)


@quick
@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to an accepted credential, and what is wrong with it otherwise, if anything."""

    answer: Answer
    error: PollError | None


class Client:
    """One credential in use."""

    def __init__(self, credential: Credential, gate: Gate, channel: Channel) -> None:
        self.credential = credential
        self._gate = gate
        self._channel = channel
        self._deadlines = Deadlines()

    def status(self) -> CredentialStatus:
        """What people are shown of the credential."""
        return CredentialStatus(
            self.credential.name, self.credential.expires_at(), self._channel.clock_skew_seconds
        )

    def pace_at(self, requests_per_second: float) -> None:
        """See Channel."""
        self._channel.pace_at(requests_per_second)

    def lift_holds(self) -> None:
        """See Gate."""
        self._gate.lift_holds()

    async def admit(self, scope: Scope, *, budget_seconds: float) -> Admission:
        """Wait for the gate, the lane and a place; the first request may then go at once.

        What it gives is to be left when the work is done, as a context or by `leave`.

        Raises:
            PollError: that cannot be had within `budget_seconds`.
        """
        lane, label = self._channel.lane(scope.region), scope.label
        now = _time()
        deadline = now + budget_seconds
        while True:
            ticket = self._gate.enter_at_once(label, now, deadline=deadline)
            ticket = ticket or await self._gate.enter(label, deadline=deadline)
            if lane.take_free_place(now) or await self._take_place(lane, ticket, deadline):
                return Admission(self, scope, ticket, lane)
            now = _time()

    def withdraw(self, ticket: Ticket) -> None:
        """What the ticket is for is not sent."""
        self._gate.leave(ticket)

    async def _reenter(self, scope: Scope) -> Ticket:
        """It waits for the lane but not at the gate, where those who go first may need the place.

        Raises:
            PollError: the gate is not open now.
        """
        await self._channel.lane(scope.region).pace()
        return await self._gate.enter(scope.label, deadline=_time())

    async def exchange(
        self, ticket: Ticket | None, request: Request, scope: Scope, *, timeout_seconds: float
    ) -> Reply:
        """Send what the ticket is for; without one, wait for another from the place that is held.

        Raises:
            PollError: no answer came in time, or the credential was refused, held or throttled.
        """
        try:
            with self._deadlines.until(_time() + timeout_seconds):
                ticket = ticket or await self._reenter(scope)
                return await self._exchange(ticket, request, scope)
        except TimeoutError:
            msg = f"{host_of(request.origin)}: no complete answer within {timeout_seconds:g} s"
            raise PollError(FailureReason.TIMEOUT, msg) from None

    async def _exchange(self, ticket: Ticket, request: Request, scope: Scope) -> Reply:
        """Send, tell the gate what came of it, and give the ticket back."""
        try:
            signed = await self.credential.authenticate(request, scope)
            if signed.is_proven:
                self._gate.accepted(ticket)
            answer = await self._channel.send(signed.request, timeout_seconds=None)
            if answer.status == _UNAUTHORIZED:
                answer = await self._renewed(request, scope, signed.version) or answer
            error = classify(answer, request.origin)
            if isinstance(error, _OF_THE_CREDENTIAL):
                raise error
            if error is None or error.reason in _SAID_TO_KNOWN_CALLERS:
                self._gate.accepted(ticket)
            return Reply(answer, error)
        except RefusedError as error:
            self._gate.refused(ticket, error)
            raise
        except ThrottledError as error:
            self._gate.throttled(error.retry_after_seconds)
            raise
        finally:
            self._gate.leave(ticket)

    async def _renewed(self, request: Request, scope: Scope, version: int) -> Answer | None:
        """After a 401: the answer to exactly one more request, if the proof could be renewed."""
        if not await self.credential.renew(scope, version):
            return None
        signed = await self.credential.authenticate(request, scope)
        return await self._channel.send_paced(
            signed.request, region=scope.region, timeout_seconds=None
        )

    async def _take_place(self, lane: Lane, ticket: Ticket, deadline: float) -> bool:
        """False when the ticket is no good any more by then; it was given back."""
        is_placed = False
        try:
            is_placed = await lane.take_place(partial(self._gate.is_open, ticket), deadline)
        except TimeoutError:
            msg = (
                f"credential {self.credential.name!r}: its turn did not come within the poll "
                "interval; raise requests_per_second or concurrency, or poll less often"
            )
            raise PollError(FailureReason.THROTTLED, msg) from None
        finally:
            if not is_placed:
                self._gate.leave(ticket)
        return is_placed


class Admission:
    """A place among the calls under way, for one scope."""

    def __init__(self, client: Client, scope: Scope, ticket: Ticket, lane: Lane) -> None:
        self._client = client
        self._scope = scope
        self._ticket: Ticket | None = ticket
        """Of the first request, until it is sent."""
        self._lane = lane

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """The work is done, whatever came of it."""
        if self._ticket:
            self._client.withdraw(self._ticket)
        self._lane.give_place()

    def send(self, request: Request, *, timeout_seconds: float) -> Awaitable[Reply]:
        """Authenticate and send one request, log-in and one renewal included.

        Raises:
            PollError: no answer came in time, or the credential was refused, held or throttled.
        """
        ticket, self._ticket = self._ticket, None
        return self._client.exchange(ticket, request, self._scope, timeout_seconds=timeout_seconds)


def _time() -> float:
    return asyncio.get_running_loop().time()
