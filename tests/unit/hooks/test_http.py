from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

import pytest
import trustme
from aiohttp import web

from auditd.alerting.events import SendFailure
from auditd.hooks.http import BODY_LIMIT_BYTES, HttpClient
from auditd.hooks.port import HookError, HttpRequest, RefusedError, RetryLaterError
from tests.unit.hooks.conftest import Receiver

Serve: TypeAlias = Callable[[bytes], Awaitable[str]]

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """The URL of a server that answers any request with these bytes, and leaves it open."""
    servers: list[asyncio.Server] = []
    ended = asyncio.Event()

    async def start(answer: bytes) -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if not answer.endswith(b"CLOSE"):
                await ended.wait()
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/T0/very-secret-token"

    yield start
    ended.set()
    for server in servers:
        server.close()
        await server.wait_closed()


async def _failure(http: HttpClient, url: str, **headers: str) -> HookError:
    with pytest.raises(HookError) as caught:
        await http.send(HttpRequest(url, b"{}", headers), hook="ops")
    error = caught.value
    assert str(error).startswith("hook 'ops': ")
    assert "very-secret-token" not in f"{error}{error!r}{error.__cause__}{error.__context__}"
    return error


async def test_a_request_is_posted_as_it_is(http: HttpClient, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=202, text="fine", headers={"X-Seen": "yes"})]
    url = f"{receiver.url}/a%2Fb?x=%20y"
    answer = await http.send(HttpRequest(url, b"\x00\xff", {"X-One": "1"}), hook="ops")
    assert (answer.status, answer.body, answer.headers["x-seen"]) == (202, b"fine", "yes")
    (request,) = receiver.requests
    assert (request.path, request.body) == ("/a%2Fb?x=%20y", b"\x00\xff")
    assert request.headers["x-one"] == "1"
    assert request.headers["user-agent"].startswith("servicestage-auditd/")


async def test_a_redirect_is_an_answer_and_is_not_followed(
    http: HttpClient, receiver: Receiver
) -> None:
    headers = {"Location": f"{receiver.url}/elsewhere", "Set-Cookie": "a=b"}
    receiver.answers = [web.Response(status=307, headers=headers)]
    assert (await http.send(HttpRequest(receiver.url, b""), hook="ops")).status == 307
    await http.send(HttpRequest(receiver.url, b""), hook="ops")
    assert [request.path for request in receiver.requests] == ["/", "/"]
    assert "cookie" not in receiver.requests[1].headers


@pytest.mark.parametrize("proxy", ["http_proxy", "HTTP_PROXY", "all_proxy"])
async def test_the_environments_proxy_is_not_used(
    http: HttpClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    assert (await http.send(HttpRequest(receiver.url, b""), hook="ops")).status == 200


async def test_a_receiver_that_answers_without_end_costs_the_limit_and_is_a_success(
    http: HttpClient, serve: Serve
) -> None:
    url = await serve(OK + b"Content-Length: 100000000000\r\n\r\n" + b"x" * 2**20)
    answer = await http.send(HttpRequest(url, b""), hook="ops")
    assert answer.status == 200
    assert len(answer.body) == BODY_LIMIT_BYTES


async def test_a_compressed_bomb_costs_the_limit(http: HttpClient, serve: Serve) -> None:
    bomb = gzip.compress(b"\x00" * 2**26)
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    answer = await http.send(HttpRequest(await serve(OK + head + bomb), b""), hook="ops")
    assert len(answer.body) == BODY_LIMIT_BYTES


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", SendFailure.TIMEOUT),
        (OK, SendFailure.TIMEOUT),
        (OK + b"Content-Length: 10\r\n\r\nabc", SendFailure.TIMEOUT),
        (OK + b"Content-Length: 10\r\n\r\nabCLOSE", SendFailure.SERVER),
        (b"SSH-2.0-OpenSSH_9\r\n\r\nCLOSE", SendFailure.SERVER),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nCLOSE", SendFailure.SERVER),
        (OK + b"X: " + b"y" * 100_000 + b"\r\n\r\nCLOSE", SendFailure.SERVER),
    ],
)
async def test_what_is_no_complete_answer_can_be_tried_again(
    serve: Serve, answer: bytes, reason: SendFailure
) -> None:
    async with HttpClient(deadline_seconds=0.3) as http:
        error = await _failure(http, await serve(answer))
    assert isinstance(error, RetryLaterError)
    assert error.reason is reason


async def test_a_refused_connection_is_told_without_the_address(http: HttpClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/T0/very-secret-token"
        error = await _failure(http, url)
    assert error.reason is SendFailure.CONNECT


async def test_a_name_without_an_address_is_told_as_such(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = await _failure(http, "https://nowhere.example/very-secret-token")
    assert error.reason is SendFailure.DNS


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("ftp://h/very-secret-token", {}),
        ("very-secret-token", {}),
        ("http://[very-secret-token", {}),
        ("", {"X-Token": "very-secret-token\r\nX-More: 1"}),
    ],
)
async def test_what_cannot_be_put_on_the_wire_is_refused(
    http: HttpClient, receiver: Receiver, url: str, headers: dict[str, str]
) -> None:
    error = await _failure(http, url or receiver.url, **headers)
    assert isinstance(error, RefusedError)
    assert error.reason is SendFailure.REFUSED


async def test_a_certificate_of_a_stranger_is_not_trusted(receiver: Receiver) -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}/very-secret-token"
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with HttpClient() as doubting, HttpClient(trusting) as fine:
        error = await _failure(doubting, url)
        answer = await fine.send(HttpRequest(url, b""), hook="ops")
    await runner.cleanup()
    assert error.reason is SendFailure.TLS
    assert answer.status == 200


async def test_nothing_is_sent_outside_the_context() -> None:
    client = HttpClient()
    with pytest.raises(RuntimeError, match="async with"):
        await client.send(HttpRequest("http://127.0.0.1:9/", b""), hook="ops")
