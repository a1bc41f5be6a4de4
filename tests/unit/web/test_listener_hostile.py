"""A thousand clients that keep a connection and give nothing for it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from itertools import pairwise
from time import perf_counter

import pytest

from auditd.web.address import Address
from auditd.web.health import Readiness, make_health_app
from auditd.web.listener import MOST_CONNECTIONS, open_listener
from auditd.web.security import Security
from tests.unit.web.secured import ADDRESS, Issuer

ISSUER = Issuer()
SLOW = 1_000
HEAD = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n"
BODY = b"POST /-/healthy HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00"
"""How a TLS handshake begins."""
GOOD = HEAD + b"Connection: close\r\n\r\n"

Ends = list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


@asynccontextmanager
async def slow_clients(address: Address, sent: bytes, count: int) -> AsyncIterator[Ends]:
    ends: Ends = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(sent)
        ends.append((reader, writer))
    yield ends
    for _, writer in ends:
        writer.transport.abort()
    await asyncio.sleep(0)


async def seconds_of_a_good_request(address: Address, tls: ssl.SSLContext | None) -> float:
    started_at = perf_counter()
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls)
    writer.write(GOOD)
    answer = await reader.readline()
    writer.transport.abort()
    assert answer == b"HTTP/1.1 200 OK\r\n"
    return perf_counter() - started_at


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("sent", [HEAD, BODY, HELLO])
async def test_others_are_served_at_once_while_a_thousand_are_slow(
    sent: bytes, *, encrypted: bool
) -> None:
    security = Security(context=await ISSUER.context() if encrypted else None)
    client = ISSUER.client() if encrypted else None
    async with open_listener(make_health_app(Readiness), [ADDRESS], security) as listener:
        (address,) = listener.addresses
        async with slow_clients(address, sent, SLOW):
            times = [await seconds_of_a_good_request(address, client) for _ in range(100)]
    assert sorted(times)[98] < 0.2


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("sent", "closed_within", "encrypted"),
    [
        pytest.param(HEAD, 16, False, id="header"),
        pytest.param(BODY, 20, False, id="body"),
        pytest.param(b"", 16, False, id="nothing"),
        pytest.param(HELLO, 6, True, id="handshake"),
        pytest.param(b"", 6, True, id="no-handshake"),
    ],
)
async def test_the_slow_are_hung_up_on(
    sent: bytes, closed_within: float, *, encrypted: bool
) -> None:
    loop = asyncio.get_running_loop()
    security = Security(context=await ISSUER.context() if encrypted else None)
    async with (
        open_listener(make_health_app(Readiness), [ADDRESS], security) as listener,
        slow_clients(listener.addresses[0], sent, 50) as ends,
    ):
        started_at = loop.time()
        for reader, _ in ends:
            await _until_the_end(reader)
        assert loop.time() - started_at < closed_within


@pytest.mark.looptime
async def test_a_header_that_drips_is_hung_up_on() -> None:
    loop = asyncio.get_running_loop()
    async with (
        open_listener(make_health_app(Readiness), [ADDRESS], Security()) as listener,
        slow_clients(listener.addresses[0], HEAD + b"X: ", 1) as ((_, writer),),
    ):
        started_at = loop.time()
        while not writer.transport.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.5)
        assert loop.time() - started_at < 17


async def test_no_more_connections_are_kept_than_there_may_be() -> None:
    async with (
        open_listener(make_health_app(Readiness), [ADDRESS], Security()) as listener,
        slow_clients(listener.addresses[0], HEAD, MOST_CONNECTIONS + 100) as ends,
    ):
        for reader, _ in ends[:100]:
            await _until_the_end(reader)
        assert not any(reader.at_eof() for reader, _ in ends[100:])
        assert len(listener.connections) == MOST_CONNECTIONS


async def test_many_connections_at_once_come_in_by_turns() -> None:
    async with open_listener(make_health_app(Readiness), [ADDRESS], Security()) as listener:
        (address,) = listener.addresses
        with ExitStack() as opened:
            for _ in range(300):
                client = opened.enter_context(socket.socket())
                client.setblocking(False)  # noqa: FBT003 -- the standard library's signature
                client.connect_ex((address.host, address.port))
            counts = [0]
            while counts[-1] < 300:
                await asyncio.sleep(0)
                counts.append(len(listener.connections))
    assert max(later - former for former, later in pairwise(counts)) <= 8


async def test_a_place_is_free_again_after_each_way_to_end() -> None:
    security = Security(context=await ISSUER.context())
    client = ISSUER.client()
    async with open_listener(
        make_health_app(Readiness), [ADDRESS], security, most_connections=2
    ) as listener:
        (address,) = listener.addresses
        for _ in range(5):
            await seconds_of_a_good_request(address, client)
            async with slow_clients(address, b"", 1):
                pass
            async with slow_clients(address, b"GET / HTTP/1.1\r\n\r\n", 1) as ((reader, _),):
                await _until_the_end(reader)
            with pytest.raises(ssl.SSLError):
                await asyncio.open_connection(
                    address.host, address.port, ssl=ssl.create_default_context()
                )
            while listener.connections:  # noqa: ASYNC110 -- nothing announces a closed socket
                await asyncio.sleep(0.01)


async def _until_the_end(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass
