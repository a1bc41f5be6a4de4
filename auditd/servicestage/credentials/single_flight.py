"""One fetch at a time for each thing that is fetched, however many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Whoever asks first fetches; the others get the same result or the same error."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, asyncio.Future[T]] = {}

    async def run(self, key: Hashable, fetch: Callable[[], Awaitable[T]]) -> T:
        """The result of `fetch`, or of the fetch for `key` that is under way.

        When the one who fetches is cancelled, one of those who wait takes over.
        """
        while (flight := self._flights.get(key)) is not None:
            await asyncio.wait([flight])
            if not flight.cancelled():
                return flight.result()
        flight = self._flights[key] = asyncio.get_running_loop().create_future()
        try:
            flight.set_result(await fetch())
        except Exception as error:  # noqa: BLE001 # handed on to everyone who waits
            flight.set_exception(error)
        finally:
            del self._flights[key]
            flight.cancel()  # without effect when there is a result
        return flight.result()
