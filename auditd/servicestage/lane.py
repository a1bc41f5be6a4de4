"""Paces the requests of one credential in one region, evenly and in the order of asking."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from auditd.servicestage.deadlines import Deadlines
from auditd.servicestage.places import Places

_SHORTEST_WAIT_SECONDS = 0.001
"""What no timer can wait for is no wait: the loop sleeps in whole milliseconds, so that a rate of
thousands would be cut to one thousand. As each request still takes its instant, the rate is kept
over time."""


@dataclass(eq=False, slots=True)
class _Comer:
    """Work that waits for a place until `at`, an instant of the loop's clock."""

    is_wanted: Callable[[], bool]
    at: float
    turn: asyncio.Future[bool | None]
    """Whether it has a place; None when the time was over before."""

    def expire(self) -> None:
        """See Deadlines."""
        self.tell(is_placed=None)

    def tell(self, *, is_placed: bool | None) -> None:
        """Unless it has left."""
        if not self.turn.done():
            self.turn.set_result(is_placed)


class Lane:
    """At most `requests_per_second`, sent from one of the `places` that all lanes share.

    New work queues for its turn, then for a place, then for the rate. So of all the work that a
    slow lane has queued only its head takes a place that other lanes could use, and places that
    come free together after a congestion do not let a burst through.

    Requests are spaced evenly. A leaky bucket (aiolimiter) would let bursts through above 100
    requests per second, and it spins without end where the clock stands still between timers,
    as it does in tests in virtual time: rounding leaves a drop that no timer is late enough for.
    """

    def __init__(self, requests_per_second: float, places: Places) -> None:
        self._spacing_seconds = 1 / requests_per_second
        self._next_at = -math.inf
        self._places = places
        self._deadlines = Deadlines()
        self._waiting: OrderedDict[_Comer, None] = OrderedDict()
        self._head: tuple[_Comer, asyncio.TimerHandle] | None = None
        """The work that has a place and waits for the rate, and what wakes it."""
        self._is_asking = False
        """Whether a place is asked for, or held by the head."""

    def take_free_place(self, now: float) -> bool:
        """Take a place and leave if that needs no waiting; False, with nothing taken, otherwise.

        `now` is the loop's clock, which takes a system call to find.
        """
        has_to_wait = self._is_asking or self._next_at - now >= _SHORTEST_WAIT_SECONDS
        if has_to_wait or not self._places.take():
            return False
        self._book(now)
        return True

    async def take_place(self, is_wanted: Callable[[], bool], deadline: float = math.inf) -> bool:
        """Wait for a place and leave to send one request from it at once.

        False, with nothing taken, when `is_wanted` no longer holds once it is this work's turn.
        A place that was taken must be given back.

        Raises:
            TimeoutError: that cannot be had before `deadline`, an instant of the loop's clock.
        """
        comer = _Comer(is_wanted, deadline, asyncio.get_running_loop().create_future())
        self._waiting[comer] = None
        self._deadlines.begin(comer)
        self._ask()
        try:
            is_placed = await comer.turn
        except BaseException:
            self._withdraw(comer)
            raise
        if is_placed is None:
            self._waiting.pop(comer, None)
            raise TimeoutError
        if is_placed and not is_wanted():
            self._places.release()
            return False
        return is_placed

    def pace_at(self, requests_per_second: float) -> None:
        """Send at this rate from the next request on."""
        self._spacing_seconds = 1 / requests_per_second

    def give_place(self) -> None:
        """The work is done."""
        self._places.release()

    async def pace(self) -> None:
        """Wait for leave to send one more request from a place that is held.

        It does not queue behind new work, whose head may be waiting for this very place. The
        instant of a request that is given up while it waits stays unused.
        """
        wait_seconds = self._book(asyncio.get_running_loop().time())
        if wait_seconds >= _SHORTEST_WAIT_SECONDS:
            await asyncio.sleep(wait_seconds)

    def _ask(self) -> None:
        if self._waiting and not self._is_asking:
            self._is_asking = True
            self._places.ask(self._serve)

    def _serve(self) -> None:
        """A place is here for the first who still waits and may go before its time is over."""
        while self._waiting:
            comer, _ = self._waiting.popitem(last=False)
            self._deadlines.end(comer)
            if comer.turn.done():
                continue
            if self._next_at > comer.at:
                comer.expire()
            elif not comer.is_wanted():
                comer.tell(is_placed=False)
            else:
                self._admit(comer)
                return
        self._places.release()
        self._is_asking = False

    def _admit(self, comer: _Comer) -> None:
        """Let it go, now or when the rate allows."""
        loop = comer.turn.get_loop()
        wait_seconds = self._book(loop.time())
        if wait_seconds >= _SHORTEST_WAIT_SECONDS:
            self._head = comer, loop.call_later(wait_seconds, self._let_go, comer)
        else:
            self._let_go(comer)

    def _let_go(self, comer: _Comer) -> None:
        self._head, self._is_asking = None, False
        comer.tell(is_placed=True)
        self._ask()

    def _withdraw(self, comer: _Comer) -> None:
        """It was cancelled, perhaps after its place had come."""
        self._waiting.pop(comer, None)
        self._deadlines.end(comer)
        if self._head and self._head[0] is comer:
            self._head[1].cancel()
            self._head = None
            self._serve()
        elif not comer.turn.cancelled() and comer.turn.result():
            self._places.release()

    def _book(self, now: float) -> float:
        """One request takes the next instant. Returns how far that is away."""
        at = max(now, self._next_at)
        self._next_at = at + self._spacing_seconds
        return at - now
