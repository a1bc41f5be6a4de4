from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from auditd.alerting.alert_events import AlertFired
from auditd.alerting.events import DeliverySent
from auditd.audit.events import CredentialRefreshed, PollFailed, PollFinished
from auditd.audit.failure import FailureReason
from auditd.web.address import Address
from auditd.web.feed import ALERTS, DELIVERIES, FLEET, MOST_STREAMS, Feed, Pace, topics_of
from auditd.web.listener import listen
from tests.unit.web.pages.examples import alert_of


@pytest.fixture
def pace() -> Pace:
    """Tests parametrize it."""
    return Pace()


@pytest.fixture
def epoch() -> str:
    """Tests parametrize it."""
    return "epoch"


@pytest.fixture
def feed(epoch: str, pace: Pace) -> Feed:
    return Feed(epoch, pace)


@pytest.fixture
async def address(feed: Feed) -> AsyncIterator[Address]:
    app = web.Application()
    app.add_routes([web.get("/events", feed.stream)])
    async with listen(app, [Address("127.0.0.1", 0)]) as (bound,):
        yield bound
        feed.close()


@pytest.fixture
async def client(address: Address) -> AsyncIterator[ClientSession]:
    connector = TCPConnector(limit=0)  # as many as there are readers
    async with ClientSession(
        f"http://{address}", connector=connector, timeout=ClientTimeout(8)
    ) as session:
        yield session


async def until_streams(feed: Feed, number: int) -> None:
    async with asyncio.timeout(5):
        while feed.streams != number:  # noqa: ASYNC110 - a socket that closes offers no Event
            await asyncio.sleep(0.01)


async def test_a_stream_begins_with_the_version_and_tells_the_next(
    client: ClientSession, feed: Feed
) -> None:
    feed.touch("a")
    async with client.get("/events?topic=a&topic=b") as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.content.readuntil(b"\n\n") == b"data: epoch.1\n\n"
        feed.touch("b")
        feed.touch("c")
        assert await response.content.readuntil(b"\n\n") == b"data: epoch.2\n\n"


async def test_a_burst_is_told_as_one_message(client: ClientSession, feed: Feed) -> None:
    async with client.get("/events?topic=a") as response:
        await response.content.readuntil(b"\n\n")
        loop = asyncio.get_running_loop()
        started = loop.time()
        for _ in range(1000):
            feed.touch("a")
            await asyncio.sleep(0)
        assert await response.content.readuntil(b"\n\n") == b"data: epoch.1000\n\n"
        assert loop.time() - started > 0.8


@pytest.mark.parametrize("pace", [Pace(quiet_seconds=0.01, heartbeat_seconds=0.1)])
async def test_a_stream_that_nothing_happens_to_has_a_heartbeat(client: ClientSession) -> None:
    async with client.get("/events?topic=a") as response:
        await response.content.readuntil(b"\n\n")
        assert await response.content.readuntil(b"\n\n") == b":\n\n"
        assert await response.content.readuntil(b"\n\n") == b":\n\n"


async def test_the_reader_after_the_last_place_is_sent_away(
    client: ClientSession, feed: Feed
) -> None:
    responses = [await client.get("/events?topic=a") for _ in range(MOST_STREAMS)]
    await until_streams(feed, MOST_STREAMS)
    async with client.get("/events?topic=a") as refused:
        assert refused.status == 503
        assert refused.headers["Retry-After"] == "30"
    responses[0].close()
    await until_streams(feed, MOST_STREAMS - 1)
    async with client.get("/events?topic=a") as taken:
        assert taken.status == 200
    for response in responses:
        response.close()
    await until_streams(feed, 0)


async def test_closing_ends_all_streams_at_once_and_takes_no_more(
    client: ClientSession, feed: Feed
) -> None:
    async with client.get("/events?topic=a") as response:
        await response.content.readuntil(b"\n\n")
        feed.close()
        async with asyncio.timeout(0.9):
            assert await response.content.read() == b""
    async with client.get("/events?topic=a") as refused:
        assert refused.status == 503


@pytest.mark.parametrize("pace", [Pace(quiet_seconds=0.0001)])
@pytest.mark.parametrize("epoch", ["e" * 3000])
async def test_a_reader_that_does_not_read_is_dropped(address: Address, feed: Feed) -> None:
    with socket.socket() as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        idle.setblocking(False)  # noqa: FBT003 - the signature is Python's
        loop = asyncio.get_running_loop()
        await loop.sock_connect(idle, (address.host, address.port))
        await loop.sock_sendall(idle, b"GET /events?topic=a HTTP/1.1\r\nHost: a\r\n\r\n")
        await until_streams(feed, 1)
        async with asyncio.timeout(9):
            while feed.streams:
                feed.touch("a")
                await asyncio.sleep(0.0005)


@pytest.mark.parametrize("pace", [Pace(quiet_seconds=0.1, longest_seconds=0.05)])
async def test_a_stream_ends_so_that_its_reader_must_ask_again(client: ClientSession) -> None:
    async with client.get("/events?topic=a") as response:
        assert await response.content.read() == b"data: epoch.0\n\n"


def test_no_version_of_a_former_process_recurs() -> None:
    assert Feed("a").version(["x"]) != Feed("b").version(["x"])


def test_a_poll_without_news_touches_only_its_project() -> None:
    poll = PollFinished("p", 0.1, 0.0, 3, 0, (), is_news=False)
    assert topics_of(poll) == ("project/p",)
    news = PollFinished("p", 0.1, 0.0, 3, 0, (), is_news=True)
    failed = PollFailed("p", FailureReason.DNS, "no name", 0.1, 0.0, 1)
    assert topics_of(news) == topics_of(failed) == (FLEET, "project/p")


def test_alerts_and_deliveries_have_topics_and_the_rest_has_none() -> None:
    assert topics_of(AlertFired(alert_of("one"), is_flapping=False)) == (ALERTS,)
    assert topics_of(DeliverySent("ops", "d", "g", 1, 1, 0.1, 0.2)) == (DELIVERIES,)
    assert topics_of(CredentialRefreshed("prod", "", None)) == ()
