from __future__ import annotations

import asyncio
import gc
import json
import socket

import pytest

from auditd import __version__
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Request
from auditd.servicestage.transport import Transport, TransportOptions
from tests.unit.servicestage.conftest import Serve

NOTHING = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Recorder:
    """Keeps the heads of the requests and answers each connection with the same bytes."""

    def __init__(self, answer: bytes = NOTHING) -> None:
        self.heads: list[str] = []
        self._answer = answer

    async def __call__(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.heads.append(head.decode())
        writer.write(self._answer)


async def test_the_bytes_that_were_signed_are_the_bytes_that_are_sent(
    serve: Serve, transport: Transport
) -> None:
    recorder = Recorder()
    origin = f"http://127.0.0.1:{await serve(recorder)}"
    request = Request(
        "GET",
        origin,
        "/v1/a%2Fb/git%20auths",
        (("tag", "ü /+"), ("empty", "")),
        {"X-Repo-Auth": "prüfung", "Host": "servicestage.example"},
    )

    await transport.send(request, timeout_seconds=2)

    first, *headers = recorder.heads[0].rstrip().split("\r\n")
    assert first == "GET /v1/a%2Fb/git%20auths?tag=%C3%BC%20%2F%2B&empty= HTTP/1.1"
    assert "X-Repo-Auth: prüfung" in headers
    assert "Host: servicestage.example" in headers
    assert f"User-Agent: servicestage-auditd/{__version__}" in headers
    assert "Accept-Encoding: gzip, deflate" in headers
    assert not any(header.startswith(("Cookie", "Content-")) for header in headers)


async def test_a_body_is_sent_as_it_is(serve: Serve, transport: Transport) -> None:
    recorder = Recorder()
    origin = f"http://127.0.0.1:{await serve(recorder)}"
    await transport.send(
        Request("POST", origin, "/", headers={"Content-Type": "x/y"}, body=b"{}"),
        timeout_seconds=2,
    )
    assert "Content-Length: 2" in recorder.heads[0]
    assert "Content-Type: x/y" in recorder.heads[0]


@pytest.mark.parametrize("status", [200, 201, 204, 302, 400, 401, 403, 404, 429, 500, 503, 599])
async def test_every_status_is_an_answer(status: int, serve: Serve, transport: Transport) -> None:
    port = await serve(
        Recorder(
            b"HTTP/1.1 %d X\r\nX-Request-Id: r1\r\nLocation: http://127.0.0.1:1/\r\n"
            b"Set-Cookie: a=b\r\nContent-Length: %d\r\n\r\n%b"
            % ((status, 0, b"") if status == 204 else (status, 2, b"{}"))
        )
    )
    request = Request("GET", f"http://127.0.0.1:{port}", "/")

    answer = await transport.send(request, timeout_seconds=2)

    assert answer.status == status
    assert answer.headers["x-request-id"] == "r1"
    assert answer.body == (b"" if status == 204 else b"{}")


async def test_cookies_are_not_kept(serve: Serve, transport: Transport) -> None:
    recorder = Recorder(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
    request = Request("GET", f"http://127.0.0.1:{await serve(recorder)}", "/")
    await transport.send(request, timeout_seconds=2)
    await transport.send(request, timeout_seconds=2)
    assert "Cookie" not in recorder.heads[1]


@pytest.mark.parametrize("length", [9120, 65_536, 100_000])
async def test_tokens_fit_both_ways(length: int, serve: Serve, transport: Transport) -> None:
    token = "A" * length

    async def behave(head: bytes, writer: asyncio.StreamWriter) -> None:
        assert f"X-Auth-Token: {token}".encode() in head
        writer.write(NOTHING[:-2] + f"X-Subject-Token: {token}\r\n\r\n".encode())

    request = Request(
        "GET", f"http://127.0.0.1:{await serve(behave)}", "/", headers={"X-Auth-Token": token}
    )
    answer = await transport.send(request, timeout_seconds=2)
    assert answer.headers["x-subject-token"] == token


@pytest.mark.parametrize(("size_bytes", "fits"), [(100, True), (101, False)])
async def test_a_body_of_exactly_the_limit_fits(
    size_bytes: int, *, fits: bool, serve: Serve
) -> None:
    port = await serve(Recorder(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * size_bytes))
    request = Request("GET", f"http://127.0.0.1:{port}", "/")
    async with Transport(TransportOptions(max_body_bytes=100)) as transport:
        if fits:
            assert len((await transport.send(request, timeout_seconds=2)).body) == 100
            return
        with pytest.raises(PollError, match="more than 100 bytes") as caught:
            await transport.send(request, timeout_seconds=2)
    assert caught.value.reason is FailureReason.TOO_LARGE


async def test_what_follows_an_answer_is_not_the_next_answer(
    serve: Serve, transport: Transport
) -> None:
    body = json.dumps({"authorizations": []}).encode()
    sneaky = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    async def behave(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(sneaky + sneaky.replace(b"[]", b"{}"))
        await asyncio.Event().wait()

    request = Request("GET", f"http://127.0.0.1:{await serve(behave)}", "/")
    for _ in range(3):
        assert (await transport.send(request, timeout_seconds=2)).body == body


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1)])
async def test_only_a_get_is_sent_again_when_its_connection_is_lost(
    method: str, times: int, serve: Serve, transport: Transport
) -> None:
    recorder = Recorder(b"")
    request = Request(method, f"http://127.0.0.1:{await serve(recorder)}", "/")
    with pytest.raises(PollError) as caught:
        await transport.send(request, timeout_seconds=2)
    assert caught.value.reason is FailureReason.CONNECT
    assert len(recorder.heads) == times


async def test_a_closed_port_is_connect(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PollError, match=f"127.0.0.1:{port} refused or closed") as caught:
        await transport.send(Request("GET", f"http://127.0.0.1:{port}", "/"), timeout_seconds=2)
    assert caught.value.reason is FailureReason.CONNECT


async def test_a_name_without_an_address_is_dns(
    monkeypatch: pytest.MonkeyPatch, transport: Transport
) -> None:
    def getaddrinfo(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(PollError, match=r"nowhere\.example:1 has no address") as caught:
        await transport.send(Request("GET", "http://nowhere.example:1", "/"), timeout_seconds=2)
    assert caught.value.reason is FailureReason.DNS


@pytest.mark.parametrize(
    "origin",
    ["", "nonsense", "ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:99999", "http://a..b"],
)
async def test_an_endpoint_that_cannot_be_asked_is_bad_request(
    origin: str, transport: Transport
) -> None:
    with pytest.raises(PollError, match="check them") as caught:
        await transport.send(Request("GET", origin, "/"), timeout_seconds=2)
    assert caught.value.reason is FailureReason.BAD_REQUEST


async def test_a_header_cannot_smuggle_another(serve: Serve, transport: Transport) -> None:
    recorder = Recorder()
    origin = f"http://127.0.0.1:{await serve(recorder)}"
    headers = {"X-Auth-Token": "hush\r\nX-Evil: 1"}
    with pytest.raises(PollError) as caught:
        await transport.send(Request("GET", origin, "/", headers=headers), timeout_seconds=2)
    assert caught.value.reason is FailureReason.BAD_REQUEST
    assert "hush" not in str(caught.value)
    assert recorder.heads == []


async def test_user_info_of_an_endpoint_is_not_shown(transport: Transport) -> None:
    with pytest.raises(PollError) as caught:
        await transport.send(Request("GET", "http://u:hush@127.0.0.1:1", "/"), timeout_seconds=2)
    assert "hush" not in str(caught.value)


async def test_cancelling_a_request_cancels_it(serve: Serve, transport: Transport) -> None:
    asked = asyncio.Event()

    async def behave(_head: bytes, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    request = Request("GET", f"http://127.0.0.1:{await serve(behave)}", "/")
    sending = asyncio.create_task(transport.send(request, timeout_seconds=60))
    await asked.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending


async def test_outside_its_context_it_refuses_to_send() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Transport(TransportOptions()).send(
            Request("GET", "http://127.0.0.1:1", "/"), timeout_seconds=1
        )


async def test_leaving_the_context_closes_every_connection(serve: Serve) -> None:
    port = await serve(Recorder())
    async with Transport(TransportOptions()) as transport:
        await transport.send(Request("GET", f"http://127.0.0.1:{port}", "/"), timeout_seconds=2)
    del transport
    gc.collect()  # an open session or socket would warn, and a warning is an error
