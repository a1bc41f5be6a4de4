"""Paces the requests of one credential in one region, evenly and in the order of asking."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from auditd.servicestage.places import Places

_SHORTEST_WAIT_SECONDS = 0.001


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
        self._head = asyncio.Lock()

    async def take_free_place(self) -> bool:
        """Take a place and leave if that needs no waiting; False, with nothing taken, otherwise."""
        is_free = not self._head.locked() and self._places.is_one_free
        if not is_free or self._wait_seconds() > 0:
            return False
        await self._places.acquire()
        self._book()
        return True

    async def take_place(self, is_wanted: Callable[[], bool]) -> bool:
        """Wait for a place and leave to send one request from it at once.

        False, with nothing taken, when `is_wanted` no longer holds once it is this work's turn.
        A place that was taken must be given back.
        """
        async with self._head:
            if not is_wanted():
                return False
            await self._places.acquire()
            is_taken = False
            try:
                if is_wanted():
                    await self.pace()
                    is_taken = is_wanted()
            finally:
                if not is_taken:
                    self._places.release()
            return is_taken

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
        wait_seconds = self._wait_seconds()
        self._book()
        await asyncio.sleep(wait_seconds)

    def _wait_seconds(self) -> float:
        """Until the next request may be sent. What no timer can wait for is no wait.

        The loop sleeps in whole milliseconds, so that a rate of thousands would be cut to one
        thousand; as each request still takes its instant, the rate is kept over time.
        """
        wait_seconds = self._next_at - asyncio.get_running_loop().time()
        return wait_seconds if wait_seconds >= _SHORTEST_WAIT_SECONDS else 0.0

    def _book(self) -> None:
        """One request takes the next instant."""
        now = asyncio.get_running_loop().time()
        self._next_at = max(now, self._next_at) + self._spacing_seconds
