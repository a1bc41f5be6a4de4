"""Paces the requests of one credential in one region, evenly and in the order of asking."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from auditd.servicestage.deadlines import Deadlines
from auditd.servicestage.places import Places

_SHORTEST_WAIT_SECONDS = 0.001
"""What no timer can wait for is no wait: the loop sleeps in whole milliseconds, so that a rate of
thousands would be cut to one thousand. As each request still takes its instant, the rate is kept
over time."""


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
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._has_head = False
        """Whether a place is asked for, or held by work that waits for the rate."""

    def take_free_place(self) -> bool:
        """Take a place and leave if that needs no waiting; False, with nothing taken, otherwise."""
        now = asyncio.get_running_loop().time()
        is_free = not self._has_head and self._next_at - now < _SHORTEST_WAIT_SECONDS
        if not is_free or not self._places.take():
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
        await self._wait_for_turn(deadline)
        is_taken = False
        try:
            if is_wanted():
                await self.pace(deadline)
                is_taken = is_wanted()
        finally:
            self._pass_turn(is_place_held=is_taken)
        return is_taken

    def pace_at(self, requests_per_second: float) -> None:
        """Send at this rate from the next request on."""
        self._spacing_seconds = 1 / requests_per_second

    def give_place(self) -> None:
        """The work is done."""
        self._places.release()

    async def pace(self, deadline: float = math.inf) -> None:
        """Wait for leave to send one more request from a place that is held.

        It does not queue behind new work, whose head may be waiting for this very place. The
        instant of a request that is given up while it waits stays unused.

        Raises:
            TimeoutError: at once, when that comes after `deadline`.
        """
        now = asyncio.get_running_loop().time()
        if self._next_at > deadline:
            raise TimeoutError
        wait_seconds = self._next_at - now
        self._book(now)
        if wait_seconds >= _SHORTEST_WAIT_SECONDS:
            await asyncio.sleep(wait_seconds)

    async def _wait_for_turn(self, deadline: float) -> None:
        """Returns with a place, as the head."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._ask()
        try:
            with self._deadlines.until(deadline):
                await turn
        except BaseException:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:  # cancelled after the place had come
                self._pass_turn(is_place_held=False)
            raise

    def _ask(self) -> None:
        if self._waiting and not self._has_head:
            self._has_head = True
            self._places.ask(self._begin_turn)

    def _begin_turn(self) -> None:
        """A place has come for the first who still waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._pass_turn(is_place_held=False)

    def _pass_turn(self, *, is_place_held: bool) -> None:
        self._has_head = False
        if not is_place_held:
            self._places.release()
        self._ask()

    def _book(self, now: float) -> None:
        """One request takes the next instant."""
        self._next_at = max(now, self._next_at) + self._spacing_seconds
