"""Tells open pages that something changed, never what: they fetch it like everybody else.

A stream costs a socket and nothing more: at most one small message a second, of the newest
version, however much happens. Whoever does not read is dropped.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import hdrs, web

from auditd.alerting.alert_events import AlertEvent, AlertFired, AlertResolved, AlertSuppressed
from auditd.alerting.events import DeliveryEvent
from auditd.audit.events import (
    AuthorizationAdded,
    AuthorizationChanged,
    AuthorizationRemoved,
    DiscoveryAdded,
    DiscoveryRemoved,
    Event,
    FindingCleared,
    FindingFlagged,
    PollFailed,
    PollFinished,
)

FLEET = "fleet"
ALERTS = "alerts"
DELIVERIES = "deliveries"

MOST_STREAMS = 64
MOST_UNREAD_BYTES = 4096
_WRITE_SECONDS = 5.0
_MOST_TOPICS = 8
_HEADERS = {
    hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8",
    hdrs.CACHE_CONTROL: "no-store",
    "X-Accel-Buffering": "no",
}


def project_topic(name: str) -> str:
    """What is touched by each poll of one project."""
    return f"project/{name}"


def topics_of(event: Event | AlertEvent | DeliveryEvent) -> tuple[str, ...]:
    """What an event touches. A poll that brought no news touches only its project."""
    match event:
        case PollFinished(project=project, is_news=False):
            return (project_topic(project),)
        case (
            PollFinished(project=project)
            | PollFailed(project=project)
            | FindingFlagged(project=project)
            | FindingCleared(project=project)
            | AuthorizationAdded(project=project)
            | AuthorizationRemoved(project=project)
            | AuthorizationChanged(project=project)
            | DiscoveryAdded(project=project)
            | DiscoveryRemoved(project=project)
        ):
            return (FLEET, project_topic(project))
        case AlertFired() | AlertResolved() | AlertSuppressed():
            return (ALERTS,)
        case _ if hasattr(event, "hook"):
            return (DELIVERIES,)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a stream says something."""

    quiet_seconds: float = 1.0
    """Between two messages."""
    heartbeat_seconds: float = 15.0
    """A proxy gives up a stream that is silent for a minute."""
    longest_seconds: float = 900.0
    """A browser comes back by itself, and then it is seen anew whether it may."""


_PACE = Pace()


class Feed:
    """Versions of topics, and the streams of those who watch them.

    Args:
        epoch: differs from process to process, so that no version of a former one recurs.
        pace: of each stream.
    """

    def __init__(self, epoch: str, pace: Pace = _PACE) -> None:
        self._epoch = epoch
        self._pace = pace
        self._versions: Counter[str] = Counter()
        self._touched = asyncio.Event()
        self._closed = asyncio.Event()
        self._streams = 0

    @property
    def streams(self) -> int:
        """How many are watching."""
        return self._streams

    def touch(self, topic: str) -> None:
        """Something about the topic changed. Returns at once."""
        self._versions[topic] += 1
        if self._streams:
            self._wake()

    def follow(self, event: Event | AlertEvent | DeliveryEvent) -> None:
        """Touch what an event is about; fit to be handed each of them."""
        for topic in topics_of(event):
            self.touch(topic)

    def version(self, topics: Iterable[str]) -> str:
        """Another text after each touch of one of the topics, and in each process."""
        return f"{self._epoch}.{sum(self._versions[topic] for topic in topics)}"

    def close(self) -> None:
        """End all streams, and take no more."""
        self._closed.set()
        self._wake()

    def _wake(self) -> None:
        self._touched.set()
        self._touched = asyncio.Event()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Answers `GET /events?topic=…&topic=…` until the reader leaves, or 15 min have passed."""
        topics = request.query.getall("topic", [])[:_MOST_TOPICS]
        if self._closed.is_set() or self._streams >= MOST_STREAMS:
            return web.Response(
                status=web.HTTPServiceUnavailable.status_code,
                headers={hdrs.RETRY_AFTER: "30"},
                text="Too many pages are watching; this one can still be loaded anew by hand.\n",
            )
        self._streams += 1
        try:
            response = web.StreamResponse(headers=_HEADERS)
            await response.prepare(request)
            await self._tell(request, response, topics)
        except (ConnectionError, TimeoutError):
            pass  # the reader has left, or does not read
        finally:
            self._streams -= 1
        return response

    async def _tell(
        self, request: web.Request, response: web.StreamResponse, topics: list[str]
    ) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._pace.longest_seconds
        told = ""
        while not self._closed.is_set() and loop.time() < end:
            touched = self._touched
            version = self.version(topics)
            if version != told:
                await _write(request, response, f"data: {version}\n\n")
                told = version
                await _is_set_within(self._pace.quiet_seconds, self._closed)
            elif not await _is_set_within(self._pace.heartbeat_seconds, touched):
                await _write(request, response, ":\n\n")


async def _is_set_within(seconds: float, event: asyncio.Event) -> bool:
    """Wait for the event, or for `seconds`, which gives False."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def _write(request: web.Request, response: web.StreamResponse, text: str) -> None:
    """Send one message.

    Raises:
        ConnectionError: the reader has left, or too much waits for it.
        TimeoutError: it takes nothing for 5 s.
    """
    transport = request.transport
    if transport is None or transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
        msg = "the reader of a stream does not read"
        raise ConnectionError(msg)
    async with asyncio.timeout(_WRITE_SECONDS):
        await response.write(text.encode())
