"""One credential's way to the remote side: paced, and watching the remote clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from auditd.servicestage.lane import Lane
from auditd.servicestage.message import Answer, Request
from auditd.servicestage.places import Places


class Transport(Protocol):
    """Whatever sends a request and brings its answer."""

    async def send(self, request: Request, *, timeout_seconds: float | None) -> Answer:
        """Raises PollError when no answer came within the time; None leaves it to the caller."""


class Channel:
    """Sends for one credential. Each region is a lane of its own; None is IAM's."""

    def __init__(
        self,
        transport: Transport,
        *,
        requests_per_second: float,
        places: Places,
        now: Callable[[], datetime],
    ) -> None:
        self.clock_skew_seconds: float | None = None
        """The remote clock minus ours, as of the last answer that told the time."""
        self._transport = transport
        self._requests_per_second = requests_per_second
        self._places = places
        self._now = now
        self._date = ""
        self._lanes: dict[str | None, Lane] = {}

    def lane(self, region: str | None) -> Lane:
        """The lane of a region; made when it is first asked for."""
        if region not in self._lanes:
            self._lanes[region] = Lane(self._requests_per_second, self._places)
        return self._lanes[region]

    def pace_at(self, requests_per_second: float) -> None:
        """Send at this rate in each region from now on."""
        self._requests_per_second = requests_per_second
        for lane in self._lanes.values():
            lane.pace_at(requests_per_second)

    async def send(self, request: Request, *, timeout_seconds: float | None) -> Answer:
        """Send at once; the caller has leave of the lane, and a deadline if None is given."""
        answer = await self._transport.send(request, timeout_seconds=timeout_seconds)
        self._read_clock(answer)
        return answer

    async def send_paced(
        self, request: Request, *, region: str | None, timeout_seconds: float | None
    ) -> Answer:
        """Send a further request from a place that is held, when the lane allows."""
        await self.lane(region).pace()
        return await self.send(request, timeout_seconds=timeout_seconds)

    def _read_clock(self, answer: Answer) -> None:
        """Of answers that tell the same second the first tells it best."""
        date = answer.headers.get("date", "")
        if date == self._date:
            return
        self._date = date
        try:
            remote = parsedate_to_datetime(date)
        except ValueError:
            return
        # A Date without a zone means UTC. Source: RFC 9110, 5.6.7.
        remote = remote if remote.tzinfo else remote.replace(tzinfo=UTC)
        self.clock_skew_seconds = (remote - self._now()).total_seconds()
