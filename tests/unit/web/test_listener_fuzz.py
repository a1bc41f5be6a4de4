"""Requests, broken at random: there is no failure inside, no crash, and hardly a log line."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from typing import Any

import bcrypt
import pytest

from auditd.web.address import Address
from auditd.web.listener import open_listener
from auditd.web.security import Security
from tests.unit.web.secured import ADDRESS

REQUESTS = int(os.environ.get("AUDITD_FUZZ_REQUESTS", "5000"))
SEED = int(os.environ.get("AUDITD_FUZZ_SEED", "20261126"))
TOGETHER = 64
_JSON = b"Host: localhost\r\nContent-Type: application/json\r\n"
SAMPLES = [
    b"GET /metrics?name[]=a HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
    b"GET /api/v1/alerts?state=firing&filter=a%3D~b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /api/v1/deliveries?limit=5&before=x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET http://[]@/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://user:pass@[::1]:80/-/ready HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /-/healthy HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YWxpY2U6cg==\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/v1/silences HTTP/1.1\r\n" + _JSON + b'Content-Length: 17\r\n\r\n{"matchers": [1]}',
    b"POST /api/v1/silences HTTP/1.1\r\n" + _JSON + b"Transfer-Encoding: chunked\r\n\r\n"
    b'5\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n',
    b"DELETE /api/v1/silences/x HTTP/1.1\r\n" + _JSON + b'Content-Length: 14\r\n\r\n{"author":"a"}',
    b"GET / HTTP/1.1\r\nHost: x\r\nExpect: \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\n" + _JSON + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
]
TOKENS = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"%",
        b"%00",
        b"%ff",
        b"//",
        b"/../",
        b"?",
        b"#",
    ),
    *(b"\xff", b"\xc3\xa9", b"[", b"]", b"@", b"-1", b"99999999999999999999", b"HTTP/9.9", b"gzip"),
    *(b"Host: a\r\n", b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"A" * 9000),
    *(
        b"Cookie: a=\x01\r\n",
        b"Range: bytes=9-1\r\n",
        b'If-None-Match: "\r\n',
        b"Connection: close\r\n",
    ),
    *(b"Content-Type: application/json; charset=x\r\n", b"Accept: \xff\r\n", b"http://[::1"),
]


def mutated(generator: random.Random) -> bytes:
    request = bytearray(generator.choice(SAMPLES))
    for _ in range(generator.randrange(4)):
        at = generator.randrange(len(request) + 1)
        match generator.randrange(5):
            case 0:
                request[at:at] = generator.choice(TOKENS)
            case 1:
                del request[at : at + generator.randrange(1, 8)]
            case 2:
                request[at : at + 1] = bytes([generator.randrange(256)])
            case 3:
                end = generator.randrange(len(request) + 1)
                request[at:at] = request[min(at, end) : max(at, end)]
            case _:
                del request[at:]
    return bytes(request)


async def answer_to(address: Address, request: bytes, seconds: float = 0.1) -> bytes:
    """The first line; empty when there is no answer."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(seconds):
            return await reader.readline()
    except (TimeoutError, ConnectionError):
        return b""  # it waits for the rest
    finally:
        writer.transport.abort()


@pytest.mark.timeout(10 + REQUESTS / 50)
@pytest.mark.parametrize("users", [{}, {"alice": bcrypt.hashpw(b"r", bcrypt.gensalt(4)).decode()}])
async def test_whatever_comes_there_is_no_failure_inside(
    daemon: Any, users: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    generator = random.Random(SEED)
    requests = iter([mutated(generator) for _ in range(REQUESTS // 2)])
    failed: list[tuple[bytes, bytes]] = []
    statuses: set[bytes] = set()

    async def send(address: Address) -> None:
        for request in requests:
            line = await answer_to(address, request)
            statuses.add(line[9:12])
            if line[9:12] >= b"500" and line[9:12] != b"501":
                failed.append((line, request))

    async with open_listener(daemon.app(), [ADDRESS], Security(users=users)) as listener:
        (address,) = listener.addresses
        with caplog.at_level(logging.INFO):
            async with asyncio.TaskGroup() as group:
                for _ in range(TOGETHER):
                    group.create_task(send(address))
        good = await answer_to(address, b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n", 5)
    assert failed == []
    assert {b"400", b"401" if users else b"200"} <= statuses
    assert good.startswith(b"HTTP/1.1 401" if users else b"HTTP/1.1 200")
    assert [record.getMessage() for record in caplog.records] == []
