"""Each way to answer badly costs one error of the right reason, and neither time nor memory."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys
import time
import zlib
from collections.abc import Awaitable, Callable

import pytest

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Answer, Request
from auditd.servicestage.transport import Transport
from tests.unit.servicestage.conftest import Serve

TIMEOUT_SECONDS = 0.3
OK = b"HTTP/1.1 200 OK\r\n"
Write = asyncio.StreamWriter


def says(*parts: bytes) -> Callable[[bytes, Write], Awaitable[None]]:
    """Writes the parts and closes."""

    async def behave(_request: bytes, writer: Write) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return behave


def repeats(
    start: bytes, part: bytes, *, times: int | None = None, every_seconds: float = 0
) -> Callable[[bytes, Write], Awaitable[None]]:
    """Writes `start`, then `part` over and over."""

    async def behave(_request: bytes, writer: Write) -> None:
        writer.write(start)
        sent = 0
        while times is None or sent < times:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(every_seconds)
            sent += 1

    return behave


async def never_answers(_request: bytes, _writer: Write) -> None:
    await asyncio.Event().wait()


def resets(*parts: bytes) -> Callable[[bytes, Write], Awaitable[None]]:
    """Writes the parts, then sends RST."""

    async def behave(request: bytes, writer: Write) -> None:
        await says(*parts)(request, writer)
        peer: socket.socket = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return behave


def _gzip(size_bytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    mebibyte = bytes(1024 * 1024)
    packed = [packer.compress(mebibyte) for _ in range(size_bytes // len(mebibyte))]
    return b"".join(packed) + packer.flush()


def sized(body: bytes, *headers: bytes) -> bytes:
    lines = (b"Content-Length: %d" % len(body), *headers)
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body


BOMB = _gzip(64 * 1024 * 1024)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
GZIP = b"Content-Encoding: gzip\r\n"
CHUNK_OF_ZEROS = b"10000\r\n" + bytes(65_536) + b"\r\n"
MEMBER = zlib.compress(b"x", wbits=31)
# A gzip stream without an end; each further block of about 1 kB stands for 1 MiB.
ENDLESS = zlib.compressobj(9, zlib.DEFLATED, 31)
ENDLESS_HEAD = ENDLESS.compress(bytes(1024 * 1024)) + ENDLESS.flush(zlib.Z_FULL_FLUSH)
ENDLESS_BLOCK = ENDLESS.compress(bytes(1024 * 1024)) + ENDLESS.flush(zlib.Z_FULL_FLUSH)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n" % len(data) + data + b"\r\n"


R = FailureReason
HOSTILE = {
    "never answers": (never_answers, R.TIMEOUT),
    "drips the header": (repeats(OK + b"X: ", b"x", every_seconds=0.05), R.TIMEOUT),
    "drips the body": (
        repeats(OK + b"Content-Length: 9999\r\n\r\n", b" ", every_seconds=0.05),
        R.TIMEOUT,
    ),
    "drips chunks": (repeats(CHUNKED + b"\r\n", b"1\r\n \r\n", every_seconds=0.05), R.TIMEOUT),
    "continues for ever": (
        repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n", every_seconds=0.05),
        R.TIMEOUT,
    ),
    "floods with 1xx": (repeats(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), R.TIMEOUT),
    "sends a body without end": (repeats(OK + b"\r\n", bytes(65_536)), R.TOO_LARGE),
    "sends chunks without end": (repeats(CHUNKED + b"\r\n", CHUNK_OF_ZEROS), R.TOO_LARGE),
    "announces 100 GB": (
        repeats(OK + b"Content-Length: 100000000000\r\n\r\n", bytes(65_536)),
        R.TOO_LARGE,
    ),
    "sends a gzip bomb": (says(sized(BOMB, b"Content-Encoding: gzip")), R.TOO_LARGE),
    "sends a gzip bomb of 2 GiB in chunks": (
        repeats(CHUNKED + GZIP + b"\r\n" + chunk(ENDLESS_HEAD), chunk(ENDLESS_BLOCK), times=2048),
        R.TOO_LARGE,
    ),
    "sends a deflate bomb": (
        says(sized(zlib.compress(bytes(64 * 1024 * 1024)), b"Content-Encoding: deflate")),
        R.TOO_LARGE,
    ),
    "sends 100,000 gzip members": (
        says(sized(MEMBER * 100_000, b"Content-Encoding: gzip")),
        R.MALFORMED,
    ),
    "sends no gzip": (says(sized(b"{}" * 50, b"Content-Encoding: gzip")), R.MALFORMED),
    "sends an encoding that was not asked for": (
        says(sized(b"{}", b"Content-Encoding: br")),
        R.MALFORMED,
    ),
    "ends early": (says(OK + b"Content-Length: 10\r\n\r\n{"), R.MALFORMED),
    "ends early in a chunk": (says(CHUNKED + b"\r\n5\r\nab"), R.MALFORMED),
    "ends without the last chunk": (says(CHUNKED + b"\r\n2\r\n{}\r\n"), R.MALFORMED),
    "sends a bad chunk size": (says(CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n"), R.MALFORMED),
    "sends garbage": (says(b"\x00\xff\x16\x03 garbage\r\n\r\n" * 10), R.MALFORMED),
    "speaks SSH": (says(b"SSH-2.0-OpenSSH_9.2p1\r\n"), R.MALFORMED),
    "sends a status that is no number": (says(b"HTTP/1.1 ok\r\n\r\n"), R.MALFORMED),
    "sends a header of 10 MB": (
        says(OK + b"X: " + b"x" * 10_000_000 + b"\r\n\r\n"),
        R.MALFORMED,
    ),
    "sends 100,000 headers": (says(OK + b"X: x\r\n" * 100_000 + b"\r\n"), R.MALFORMED),
    "sends a negative length": (says(OK + b"Content-Length: -1\r\n\r\n"), R.MALFORMED),
    "sends two lengths": (
        says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
        R.MALFORMED,
    ),
    "sends NUL in a header": (says(OK + b"X: a\x00b\r\nContent-Length: 0\r\n\r\n"), R.MALFORMED),
    "closes without a word": (says(), R.CONNECT),
    "closes within the header": (says(OK + b"X: "), R.CONNECT),
    "resets": (resets(), R.CONNECT),
    "resets within the body": (resets(OK + b"Content-Length: 10\r\n\r\n{"), R.MALFORMED),
}


@pytest.mark.parametrize("fault", HOSTILE)
async def test_a_hostile_answer_is_one_error_within_the_deadline(
    fault: str, serve: Serve, transport: Transport
) -> None:
    behaviour, reason = HOSTILE[fault]
    port = await serve(behaviour)
    request = Request("GET", f"http://127.0.0.1:{port}", "/secret-path", (("secret", "query"),))
    started = time.monotonic()

    with pytest.raises(PollError) as caught:
        await transport.send(request, timeout_seconds=TIMEOUT_SECONDS)

    assert caught.value.reason is reason
    assert time.monotonic() - started < TIMEOUT_SECONDS + 1
    assert f"127.0.0.1:{port}" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


async def test_mutilated_answers_bring_an_answer_or_one_error(
    serve: Serve, transport: Transport
) -> None:
    chance = random.Random(20261124)
    good = [
        sized(b'{"authorizations": [], "count": 0}', b"Date: Tue, 24 Nov 2026 09:00:00 GMT"),
        CHUNKED + GZIP + b"\r\n" + chunk(MEMBER) + b"0\r\n\r\n",
    ]

    def mutilated() -> bytes:
        answer = bytearray(chance.choice(good))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(answer))
            answer[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        return bytes(answer)

    async def behave(_request: bytes, writer: Write) -> None:
        writer.write(mutilated())

    request = Request("GET", f"http://127.0.0.1:{await serve(behave)}", "/")
    outcomes: set[object] = set()
    for _ in range(400):
        try:
            outcomes.add(type(await transport.send(request, timeout_seconds=2)))
        except PollError as error:
            outcomes.add(error.reason)
    assert outcomes <= {Answer, R.MALFORMED, R.CONNECT, R.TOO_LARGE}
    assert outcomes >= {Answer, R.MALFORMED}


HUNGRY = [
    fault
    for fault, (_, reason) in HOSTILE.items()
    if reason is R.TOO_LARGE or "100,000" in fault or "10 MB" in fault or "floods" in fault
]
CLIENT = """
import asyncio, re, sys
from pathlib import Path
from auditd.audit.failure import PollError
from auditd.servicestage.listing import parse_listing
from auditd.servicestage.message import Answer, Request
from auditd.servicestage.transport import Transport, TransportOptions

def peak_kib():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

async def main(warm, *ports):
    async with Transport(TransportOptions()) as transport:
        async def ask(port):
            return await transport.send(
                Request("GET", f"http://127.0.0.1:{port}", "/"), timeout_seconds=0.5
            )
        parse_listing((await ask(warm)).body)
        before = peak_kib()
        for port in ports:
            try:
                parse_listing((await ask(port)).body)
            except PollError as error:
                print(error.reason)
        print(peak_kib() - before)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
async def test_the_hungriest_answers_cost_at_most_32_mib(serve: Serve) -> None:
    tiny = b'{"name":"a"},' * 600_000
    bodies = (
        b'{"authorizations":[' + tiny[:-1] + b"]}",
        b'{"authorizations":[{"name":"a","tag":[' + b"[]," * 2_000_000 + b"[]]}]}",
        b"[" * 8_000_000,
    )
    behaviours = [HOSTILE[fault][0] for fault in HUNGRY] + [says(sized(body)) for body in bodies]
    warm = says(sized(b'{"authorizations": []}'))
    ports = [str(await serve(behaviour)) for behaviour in (warm, *behaviours)]

    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CLIENT, *ports, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await client.communicate()

    *reasons, grown_kib = output.decode().split()
    assert client.returncode == 0
    assert len(reasons) == len(behaviours) - 1  # that one long tag is no reason to refuse a list
    assert int(grown_kib) <= 32 * 1024
