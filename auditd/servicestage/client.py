"""Sends requests with one credential: admitted by its gate, paced by its lane, authenticated."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from auditd.audit.credential import CredentialStatus
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.channel import Channel
from auditd.servicestage.credentials.port import Credential, Scope
from auditd.servicestage.errors import RefusedError, ThrottledError
from auditd.servicestage.faults import classify
from auditd.servicestage.gate import Gate, Ticket
from auditd.servicestage.message import Answer, Request

_SAID_TO_KNOWN_CALLERS = frozenset(
    {FailureReason.FORBIDDEN, FailureReason.NOT_FOUND, FailureReason.BAD_REQUEST}
)
"""Failures that come from behind authentication, and so prove the credential."""


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

        What it gives is to be entered, and left when the work is done.

        Raises:
            PollError: that cannot be had within `budget_seconds`.
        """
        return Admission(self, scope, await self._take_place(scope, _time() + budget_seconds))

    def dismiss(self, ticket: Ticket, scope: Scope) -> None:
        """The work that was admitted is done, whatever came of it."""
        self._gate.leave(ticket)
        self._channel.lane(scope.region).give_place()

    async def reenter(self, scope: Scope) -> Ticket:
        """Leave for one more request from a place that is held.

        It waits for the lane but not at the gate, where those who go first may need the place.

        Raises:
            PollError: the gate is not open now.
        """
        await self._channel.lane(scope.region).pace()
        return await self._gate.enter(scope.label, deadline=_time())

    async def exchange(
        self, ticket: Ticket, request: Request, scope: Scope, *, timeout_seconds: float
    ) -> Reply:
        """Send what the ticket is for, tell the gate what came of it, and give it back.

        Raises:
            PollError: no answer came, or the credential was refused or throttled.
        """
        try:
            answer = await self._attempt(ticket, request, scope, timeout_seconds=timeout_seconds)
            error = classify(answer, urlsplit(request.origin).netloc)
            if isinstance(error, RefusedError | ThrottledError):
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

    async def _take_place(self, scope: Scope, deadline: float) -> Ticket:
        lane = self._channel.lane(scope.region)
        while True:
            ticket = await self._gate.enter(scope.label, deadline=deadline)
            is_placed = False
            if self._gate.is_open(ticket) and await lane.take_free_place():
                return ticket
            try:
                async with asyncio.timeout_at(deadline):
                    is_placed = await lane.take_place(partial(self._gate.is_open, ticket))
            except TimeoutError:
                msg = (
                    f"credential {self.credential.name!r}: its turn did not come within the poll "
                    "interval; raise requests_per_second or concurrency, or poll less often"
                )
                raise PollError(FailureReason.THROTTLED, msg) from None
            finally:
                if not is_placed:
                    self._gate.leave(ticket)
            if is_placed:
                return ticket

    async def _attempt(
        self, ticket: Ticket, request: Request, scope: Scope, *, timeout_seconds: float
    ) -> Answer:
        """One request, and exactly one more if the proof could be renewed after a 401."""
        signed = await self.credential.authenticate(request, scope)
        if signed.is_proven:
            self._gate.accepted(ticket)
        answer = await self._channel.send(signed.request, timeout_seconds=timeout_seconds)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            return answer
        if not await self.credential.renew(scope, signed.version):
            return answer
        signed = await self.credential.authenticate(request, scope)
        return await self._channel.send_paced(
            signed.request, region=scope.region, timeout_seconds=timeout_seconds
        )


class Admission:
    """A place among the calls under way, for one scope."""

    def __init__(self, client: Client, scope: Scope, ticket: Ticket) -> None:
        self._client = client
        self._scope = scope
        self._first = ticket
        self._ticket: Ticket | None = ticket

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.dismiss(self._first, self._scope)

    async def send(self, request: Request, *, timeout_seconds: float) -> Reply:
        """Authenticate and send one request, log-in and one renewal included.

        Raises:
            PollError: no answer came in time, or the credential was refused, held or throttled.
        """
        ticket, self._ticket = self._ticket, None
        try:
            async with asyncio.timeout(timeout_seconds):
                if ticket is None:
                    ticket = await self._client.reenter(self._scope)
                return await self._client.exchange(
                    ticket, request, self._scope, timeout_seconds=timeout_seconds
                )
        except TimeoutError:
            host = urlsplit(request.origin).netloc
            msg = f"{host}: no complete answer within {timeout_seconds:g} s"
            raise PollError(FailureReason.TIMEOUT, msg) from None


def _time() -> float:
    return asyncio.get_running_loop().time()
