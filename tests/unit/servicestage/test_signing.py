from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditd.servicestage.message import Request
from auditd.servicestage.signing import Keys, Signer
from auditd.servicestage.transport import Transport, TransportOptions

SIGNATURES = json.loads((Path(__file__).parent / "data" / "signatures.json").read_bytes())
VECTORS = {vector["id"]: vector for vector in SIGNATURES["vectors"]}
AT = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


def request_of(vector: dict[str, Any]) -> Request:
    """The vector's request. An X-Domain-Id, which nothing here needs, is added by hand."""
    domain_id = vector["credential"]["domain_id"]
    return Request(
        vector["method"],
        f"{vector['scheme']}://{vector['host']}",
        vector["path"],
        tuple(flat_query(vector["query"])),
        vector["headers"] | ({"X-Domain-Id": domain_id} if domain_id else {}),
        (vector["body"] or "").encode(),
    )


def flat_query(pairs: list[list[Any]]) -> list[tuple[str, str]]:
    return [
        (name, str(one).lower() if isinstance(one, bool) else str(one))
        for name, value in pairs
        for one in (value if isinstance(value, list) else [value])
    ]


def sign(vector: dict[str, Any]) -> Request:
    credential = vector["credential"]
    keys = Keys(SIGNATURES["ak"], SIGNATURES["sk"], credential["security_token"])
    return Signer().sign(request_of(vector), keys, project_id=credential["project_id"], at=AT)


@asynccontextmanager
async def recording_server() -> AsyncIterator[tuple[str, Callable[[], bytes]]]:
    """A server that answers anything with an empty 200; its origin and what it was sent."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        _, _, length = head.lower().partition(b"content-length: ")
        received.extend(head + await reader.readexactly(int(length.split(b"\r\n")[0] or 0)))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", lambda: bytes(received)


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS.keys())
async def test_what_is_sent_is_byte_for_byte_what_the_vendor_signs(vector: dict[str, Any]) -> None:
    signed = sign(vector)

    async with recording_server() as (origin, received), Transport(TransportOptions()) as transport:
        # Only the connection goes elsewhere: the header Host stays as it was signed.
        await transport.send(replace(signed, origin=origin), timeout_seconds=5)
    head, _, body = received().partition(b"\r\n\r\n")
    request_line, *lines = head.decode("utf-8").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)

    assert request_line == f"{vector['method']} {vector['wire_target']} HTTP/1.1"
    assert headers.items() >= vector["headers_out_decoded"].items()
    assert headers["Authorization"] == vector["authorization"]
    assert headers.keys() - vector["headers_out"].keys() <= {
        "Accept",
        "Accept-Encoding",
        "Content-Length",
        "Content-Type",
        "User-Agent",
    }
    assert body == (vector["body"] or "").encode()


@pytest.mark.parametrize("vector", SIGNATURES["upstream_vectors"], ids=["get", "post"])
def test_the_vectors_of_the_vendors_own_tests_hold(vector: dict[str, Any]) -> None:
    target, _, query = vector["wire_target"].partition("?")
    name, _, value = query.partition("=")
    request = Request(
        vector["method"],
        f"https://{vector['host']}",
        target,
        ((name, value),),
        {"TEST_UNDERSCORE": "TEST_VALUE"},
        vector["body"].encode(),
    )
    at = datetime.strptime(vector["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    signed = Signer().sign(request, Keys(vector["ak"], vector["sk"]), project_id=None, at=at)

    assert signed.headers["Authorization"] == vector["authorization"]


def test_signing_leaves_the_request_as_it_was_so_that_it_can_be_signed_again() -> None:
    request = request_of(VECTORS["01-list-auths"])
    before = dict(request.headers)
    keys = Keys("AK", "SK")

    first = Signer().sign(request, keys, project_id="p", at=AT)
    later = Signer().sign(request, keys, project_id="p", at=AT.replace(hour=9))

    assert request.headers == before
    assert first.headers["X-Sdk-Date"] != later.headers["X-Sdk-Date"]
    assert first.headers["Authorization"] != later.headers["Authorization"]


def test_a_header_without_ascii_is_given_as_text_and_not_as_bytes_in_disguise() -> None:
    assert sign(VECTORS["10-unicode-header"]).headers["X-Repo-Auth"] == "授权"


def test_keys_do_not_show_themselves() -> None:
    shown = repr(Keys("canary-ak", "canary-sk", "canary-token"))

    assert "canary" not in shown
