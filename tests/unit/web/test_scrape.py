from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest
from aiohttp import ClientSession

from auditd.web.address import Address
from auditd.web.app import make_app
from auditd.web.health import Readiness
from auditd.web.listener import listen
from auditd.web.scrape import SENDING_SECONDS

PIECE = b"x" * 65_536


class Body:
    """An exposition that notes how much of it was made."""

    def __init__(self, count: int) -> None:
        self.headers: Mapping[str, str] = {"Content-Type": "text/plain; version=0.0.4"}
        self.size = count * len(PIECE)
        self.made = 0
        self.is_over = asyncio.Event()
        """Nobody asks for more."""
        self._count = count

    def pieces(self) -> Iterator[bytes]:
        try:
            while self.made < self._count:
                self.made += 1
                yield PIECE
        finally:
            self.is_over.set()


@pytest.fixture
def bodies() -> list[Body]:
    """What the next scrapes get, in order."""
    return []


@pytest.fixture
async def address(bodies: list[Body]) -> AsyncIterator[Address]:
    async def expose(*, accept: str, accept_encoding: str, names: Sequence[str]) -> Body:
        return bodies.pop(0)

    app = make_app(expose=expose, readiness=Readiness)
    async with listen(app, [Address("127.0.0.1", 0)]) as (bound,):
        yield bound


@pytest.fixture
async def client(address: Address) -> AsyncIterator[ClientSession]:
    async with ClientSession(f"http://{address}") as session:
        yield session


async def begin(address: Address) -> socket.socket:
    """A scraper that asked, and reads nothing."""
    scraper = socket.socket()
    scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    scraper.setblocking(False)  # noqa: FBT003 - the name of the argument is `flag`
    loop = asyncio.get_running_loop()
    await loop.sock_connect(scraper, (address.host, address.port))
    await loop.sock_sendall(scraper, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    return scraper


async def test_a_scrape_is_sent_whole_and_its_length_before_it(
    client: ClientSession, bodies: list[Body]
) -> None:
    bodies.append(Body(20))
    async with client.get("/metrics") as response:
        assert response.content_length == 20 * len(PIECE)
        assert "Transfer-Encoding" not in response.headers
        assert await response.read() == PIECE * 20


async def test_head_tells_the_length_and_makes_nothing(
    client: ClientSession, bodies: list[Body]
) -> None:
    body = Body(20)
    bodies += [body, Body(1)]
    async with client.head("/metrics") as response:
        assert response.content_length == 20 * len(PIECE)
    assert body.made == 0
    async with client.get("/metrics") as response:  # over the same connection
        assert await response.read() == PIECE


async def test_others_have_their_turn_between_pieces(
    client: ClientSession, bodies: list[Body]
) -> None:
    body = Body(2000)
    bodies.append(body)
    async with client.get("/metrics") as scrape:
        reading = asyncio.create_task(scrape.read())
        async with client.get("/-/healthy") as response:
            assert response.status == 200
        assert body.made < 2000
        assert len(await reading) == body.size


async def test_no_more_is_made_than_the_scraper_reads(
    address: Address, bodies: list[Body], client: ClientSession
) -> None:
    body = Body(2000)
    bodies.append(body)
    scraper = await begin(address)
    made = -1
    while body.made != made or not made:  # until it does not go on although others do
        made = body.made
        for _ in range(20):
            async with client.get("/-/healthy"):
                pass
    assert 0 < body.made < 500
    scraper.close()


async def test_a_scraper_that_goes_away_ends_its_scrape_in_silence(
    address: Address, bodies: list[Body], caplog: pytest.LogCaptureFixture
) -> None:
    body = Body(2000)
    bodies.append(body)
    scraper = await begin(address)
    with caplog.at_level(logging.INFO):
        await asyncio.get_running_loop().sock_recv(scraper, 1000)
        scraper.close()
        await body.is_over.wait()
    assert body.made < 2000
    assert caplog.records == []


@pytest.mark.looptime
async def test_a_scraper_that_reads_too_slowly_is_hung_up_on(
    address: Address, bodies: list[Body], caplog: pytest.LogCaptureFixture
) -> None:
    body = Body(2000)
    bodies.append(body)
    loop = asyncio.get_running_loop()
    scraper = await begin(address)
    began_at = loop.time()
    with caplog.at_level(logging.INFO):
        await body.is_over.wait()
    assert loop.time() - began_at == pytest.approx(SENDING_SECONDS, abs=2)
    assert body.made < 2000
    received = 0
    while some := await loop.sock_recv(scraper, 1 << 20):
        received += len(some)
    assert received < body.size
    assert caplog.records == []
    scraper.close()
