from __future__ import annotations

import asyncio
import base64

import pytest

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Request
from auditd.servicestage.transport import Transport, TransportOptions
from tests.unit.servicestage.conftest import Serve

PLAIN = Request("GET", "http://servicestage.example", "/v1", headers={"X-Auth-Token": "hush"})
ENCRYPTED = Request("GET", "https://servicestage.example", "/v1", headers={"X-Auth-Token": "hush"})


class Proxy:
    def __init__(self, answer: bytes) -> None:
        self.heads: list[str] = []
        self._answer = answer

    async def __call__(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.heads.append(head.decode())
        writer.write(self._answer)


@pytest.fixture
def proxy() -> Proxy:
    return Proxy(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def test_a_configured_proxy_is_asked_and_given_its_password(
    proxy: Proxy, serve: Serve
) -> None:
    port = await serve(proxy)
    options = TransportOptions(proxy_url=lambda: f"http://user:pass@127.0.0.1:{port}")
    async with Transport(options) as transport:
        answer = await transport.send(PLAIN, timeout_seconds=2)
    assert answer.body == b"{}"
    assert proxy.heads[0].startswith("GET http://servicestage.example/v1 HTTP/1.1")
    assert base64.b64encode(b"user:pass").decode() in proxy.heads[0]


async def test_the_proxy_is_asked_for_again_with_each_request(proxy: Proxy, serve: Serve) -> None:
    port = await serve(proxy)
    passwords = iter(["old", "new"])
    options = TransportOptions(proxy_url=lambda: f"http://u:{next(passwords)}@127.0.0.1:{port}")
    async with Transport(options) as transport:
        await transport.send(PLAIN, timeout_seconds=2)
        await transport.send(PLAIN, timeout_seconds=2)
    assert base64.b64encode(b"u:new").decode() in proxy.heads[1]


async def test_a_proxy_that_refuses_the_tunnel_is_connect(serve: Serve) -> None:
    refusing = Proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    port = await serve(refusing)
    options = TransportOptions(proxy_url=lambda: f"http://user:secret@127.0.0.1:{port}")
    async with Transport(options) as transport:
        with pytest.raises(PollError, match="the proxy failed or refused") as caught:
            await transport.send(ENCRYPTED, timeout_seconds=2)
    assert caught.value.reason is FailureReason.CONNECT
    assert refusing.heads[0].startswith("CONNECT servicestage.example:443 HTTP/1.1")
    assert "hush" not in refusing.heads[0]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://user:secret@127.0.0.1:1", FailureReason.CONNECT),
        ("secret", FailureReason.BAD_REQUEST),
    ],
)
async def test_a_proxy_that_cannot_be_used_does_not_show_its_password(
    url: str, reason: FailureReason
) -> None:
    async with Transport(TransportOptions(proxy_url=lambda: url)) as transport:
        with pytest.raises(PollError, match="proxy") as caught:
            await transport.send(PLAIN, timeout_seconds=2)
    assert caught.value.reason is reason
    assert "secret" not in str(caught.value)


async def test_a_proxy_file_that_is_gone_is_connect() -> None:
    def gone() -> str:
        raise FileNotFoundError(2, "No such file or directory", "/run/secrets/proxy")

    async with Transport(TransportOptions(proxy_url=gone)) as transport:
        with pytest.raises(PollError, match="URL of the proxy cannot be read") as caught:
            await transport.send(PLAIN, timeout_seconds=2)
    assert caught.value.reason is FailureReason.CONNECT


@pytest.mark.parametrize("is_asked", [True, False])
async def test_the_environment_counts_only_when_asked(
    *, is_asked: bool, proxy: Proxy, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Proxy(b"HTTP/1.1 204 No Content\r\n\r\n")
    request = Request("GET", f"http://127.0.0.1:{await serve(own)}", "/")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{await serve(proxy)}")
    async with Transport(TransportOptions(proxy_from_environment=is_asked)) as transport:
        await transport.send(request, timeout_seconds=2)
    assert (len(proxy.heads), len(own.heads)) == ((1, 0) if is_asked else (0, 1))


async def test_no_proxy_is_respected(
    proxy: Proxy, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Proxy(b"HTTP/1.1 204 No Content\r\n\r\n")
    request = Request("GET", f"http://127.0.0.1:{await serve(own)}", "/")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{await serve(proxy)}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with Transport(TransportOptions(proxy_from_environment=True)) as transport:
        await transport.send(request, timeout_seconds=2)
    assert proxy.heads == []
