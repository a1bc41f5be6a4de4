"""What a scraper notices of clients that hold a daemon's connections, or guess its passwords."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter, sleep
from typing import Any

import aiohttp
import bcrypt
import pytest
import trustme

from tests.e2e.program import Program, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(90)

SLOW = 1_000
SCRAPES = 100
"""So many at least, of which the slowest but one in a hundred is looked at."""
CLOSED_WITHIN_SECONDS = 20.0
HEADERS = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
BODY = (
    b"POST /api/v1/silences HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 60000\r\n\r\n{"
)
HELLO = b"\x16\x03\x01\x02\x00\x01\x00"
"""How a TLS handshake begins."""
GUESSES_A_SECOND, GUESSES = 50, 400
COMPARISON_SECONDS = 0.05
"""At least so long bcrypt takes for one password at the cost of these tests."""
PASSWORD = "not-a-real-password"

Serve = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_collections() -> Iterator[None]:
    """This process asks and takes the time; a collection after thousands of tests takes 0.1 s."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def serve(simulate: Any, write: Callable[[str, Any], Path]) -> Serve:
    """Start a daemon of 20 projects whose listener goes by a web configuration."""

    @asynccontextmanager
    async def start(**web_config: Any) -> AsyncIterator[Program]:
        async with simulate(make_scenario(20)) as cloud:
            file = write("auditd.yaml", make_configuration(cloud.url, 20))
            security = write("web.yaml", web_config)
            async with running(
                "run",
                f"--config.file={file}",
                "--web.listen-address=127.0.0.1:0",
                f"--web.config.file={security}",
            ) as daemon:
                await daemon.event("daemon.ready")
                yield daemon

    return start


@pytest.mark.parametrize(
    ("sent", "drip", "is_encrypted"),
    [
        pytest.param(HEADERS, b"x", False, id="headers"),
        pytest.param(BODY, b" ", False, id="bodies"),
        pytest.param(HELLO, b"", True, id="handshakes"),
    ],
)
async def test_a_thousand_slow_clients_delay_no_scrape_and_are_hung_up_on(
    serve: Serve, tmp_path: Path, sent: bytes, drip: bytes, *, is_encrypted: bool
) -> None:
    tls, trust = _encryption(tmp_path) if is_encrypted else ({}, None)
    async with serve(**tls) as daemon:
        url = (await daemon.url()).replace("http:", "https:" if trust else "http:")
        host, port = url.split("//")[1].split(":")
        slow = asyncio.create_task(asyncio.to_thread(_hold, (host, int(port)), sent, drip))
        times = []
        while not slow.done():
            times.append(await _scrape_seconds(url, trust))
            await asyncio.sleep(0.01)
    assert len(times) > SCRAPES
    assert _p99(times) < 0.2
    assert slow.result() <= CLOSED_WITHIN_SECONDS


async def test_fifty_wrong_log_ins_a_second_delay_no_scrape(serve: Serve) -> None:
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    async with serve(basic_auth_users={"admin": hashed}) as daemon:
        url = await daemon.url()
        async with asyncio.TaskGroup() as group:
            guesses = [
                group.create_task(_guess(url, number, number / GUESSES_A_SECOND))
                for number in range(GUESSES)
            ]
            times = []
            while not all(guess.done() for guess in guesses):
                times.append(await _scrape_seconds(url, password=PASSWORD))
                await asyncio.sleep(0.01)
    refusals = Counter(guess.result() for guess in guesses)
    assert refusals.keys() == {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
    assert len(times) > SCRAPES
    # A comparison on the loop would delay each of them by the whole queue. Single ones are late on
    # a machine that is busy otherwise, so the middle is what tells.
    assert median(times) < COMPARISON_SECONDS


async def _guess(url: str, number: int, delay_seconds: float) -> int:
    """Try a password from a source of its own, after a while. Returns the status."""
    await asyncio.sleep(delay_seconds)
    host, port = url.removeprefix("http://").split(":")
    source = f"127.1.{number // 250}.{1 + number % 250}"
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0))
    authorization = aiohttp.encode_basic_auth("admin", f"guess {number}")
    writer.write(
        f"GET /metrics HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n\r\n".encode()
    )
    status_line = await reader.readline()
    writer.transport.abort()
    return int(status_line.split()[1])


def _hold(address: tuple[str, int], sent: bytes, drip: bytes) -> float:
    """Be SLOW clients that send a beginning and then a byte a second. Blocks.

    Returns after how many seconds the last of them was hung up on.
    """
    began_at = monotonic()
    with ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection(address)) for _ in range(SLOW)]
        for client in clients:
            client.settimeout(0)
        to_send = sent
        while clients:
            clients = [client for client in clients if _is_there(client, to_send)]
            to_send = drip
            sleep(1.0)
    return monotonic() - began_at


def _is_there(client: socket.socket, to_send: bytes) -> bool:
    """Whether the other side has not ended the connection."""
    try:
        client.send(to_send)
        return client.recv(65536) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


async def _scrape_seconds(
    url: str, trust: ssl.SSLContext | None = None, *, password: str = ""
) -> float:
    """How long a scrape on a connection of its own takes."""
    began_at = perf_counter()
    headers = {"Authorization": aiohttp.encode_basic_auth("admin", password)} if password else {}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust or False)) as session,
        session.get(f"{url}/metrics", headers=headers) as answer,
    ):
        answer.raise_for_status()
        assert b"auditd_project_up" in await answer.read()
    return perf_counter() - began_at


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[98]


def _encryption(directory: Path) -> tuple[dict[str, Any], ssl.SSLContext]:
    """The part of a web configuration, and what a client of it trusts."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA)
    certificate, key = directory / "server.pem", directory / "server.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.touch(mode=0o600)
    key.write_bytes(issued.private_key_pem.bytes())
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    files = {"cert_file": str(certificate), "key_file": str(key)}
    return {"tls_server_config": files}, trust
