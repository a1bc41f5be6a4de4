from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest
from aiohttp import ClientSession, web

from auditd.web.address import Address
from auditd.web.listener import IDLE_SECONDS, ListenError, listen

LOOPBACK = Address("127.0.0.1", 0)


async def status_of(address: Address, path: str = "/-/healthy") -> int:
    async with ClientSession() as client, client.get(f"http://{address}{path}") as response:
        return response.status


async def test_several_addresses_are_served_at_once(daemon: Any) -> None:
    async with listen(daemon.app(), [LOOPBACK, Address("::1", 0)]) as bound:
        assert [address.host for address in bound] == ["127.0.0.1", "::1"]
        assert all(address.port > 0 for address in bound)
        assert [await status_of(address) for address in bound] == [200, 200]


async def test_no_host_means_all_interfaces(daemon: Any) -> None:
    async with listen(daemon.app(), [Address("", 0)]) as bound:
        assert "0.0.0.0" in [address.host for address in bound]
        assert not any(address.is_loopback for address in bound)


async def test_a_port_in_use_is_named_with_a_remedy(daemon: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(ListenError) as refused:
            async with listen(daemon.app(), [address]):
                pass
    assert str(refused.value) == (
        f"cannot listen on {address}: Address already in use; "
        "stop the process that holds the port, or choose another port"
    )


async def test_when_one_address_is_taken_none_is_served(daemon: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        first = Address("127.0.0.1", free.getsockname()[1])
    with pytest.raises(ListenError):
        async with listen(daemon.app(), [first, first]):
            pass
    async with listen(daemon.app(), [first]) as bound:
        assert bound == (first,)


async def test_an_address_of_another_machine_is_refused(daemon: Any) -> None:
    with pytest.raises(ListenError, match="choose an address of this machine"):
        async with listen(daemon.app(), [Address("192.0.2.1", 0)]):
            pass


async def test_a_name_that_does_not_resolve_is_refused(
    daemon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(ListenError, match=r"no\.such:1: Name or service not known; check --web"):
        async with listen(daemon.app(), [Address("no.such", 1)]):
            pass


async def test_after_the_block_nothing_is_served(daemon: Any) -> None:
    async with listen(daemon.app(), [LOOPBACK]) as (bound,):
        pass
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(bound.host, bound.port)


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n"
        + b"".join(b"X-%d: 1\r\n" % number for number in range(100))
        + b"\r\n",
        b"\x16\x03\x01 not HTTP at all\r\n\r\n",
    ],
)
async def test_oversized_and_broken_requests_are_refused(
    address: Address, request_head: bytes
) -> None:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(request_head)
    assert await reader.readline() == b"HTTP/1.0 400 Bad Request\r\n"
    writer.close()
    await writer.wait_closed()
    assert await status_of(address) == 200


@pytest.mark.looptime
@pytest.mark.parametrize("sent", [b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_request_that_never_ends_is_hung_up_on(daemon: Any, sent: bytes) -> None:
    loop = asyncio.get_running_loop()
    async with listen(daemon.app(), [LOOPBACK]) as (bound,):
        reader, writer = await asyncio.open_connection(bound.host, bound.port)
        writer.write(sent)
        started_at = loop.time()
        assert await reader.read() == b""
        assert loop.time() - started_at == pytest.approx(IDLE_SECONDS, abs=1.5)
        writer.close()
        await writer.wait_closed()


async def test_requests_are_logged_at_debug_without_their_query(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "aiohttp.access"):
        await status_of(address, "/-/healthy?token=secret")
    (record,) = [record for record in caplog.records if record.name == "aiohttp.access"]
    assert record.levelno == logging.DEBUG
    assert record.getMessage().startswith("127.0.0.1 GET /-/healthy 200 in 0.")


async def test_requests_are_not_logged_above_debug(daemon: Any, caplog: Any) -> None:
    with caplog.at_level(logging.INFO, "aiohttp.access"):
        async with listen(daemon.app(), [LOOPBACK]) as (bound,):
            await status_of(bound)
    assert [record for record in caplog.records if record.name == "aiohttp.access"] == []


async def test_an_answer_under_way_is_finished_when_the_listener_closes() -> None:
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        is_asked.set()
        await may_answer.wait()
        return web.Response(text="done")

    app = web.Application()
    app.add_routes([web.get("/", slow)])
    async with listen(app, [LOOPBACK]) as (bound,):
        asking = asyncio.create_task(status_of(bound, "/"))
        await is_asked.wait()
        asyncio.get_running_loop().call_later(0.05, may_answer.set)
    assert await asking == 200


async def test_the_library_says_at_most_ten_things_a_second(caplog: Any) -> None:
    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError

    app = web.Application()
    app.add_routes([web.get("/", broken)])
    with caplog.at_level(logging.INFO):
        async with listen(app, [LOOPBACK]) as (bound,):
            assert [await status_of(bound, "/") for _ in range(50)] == [500] * 50
    assert 10 <= len(caplog.records) < 20


async def test_an_address_that_the_library_fails_at_ends_the_connection_quietly(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET http://[]@/ HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
    assert not caplog.records
