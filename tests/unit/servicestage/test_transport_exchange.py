"""Another way out is taken while requests are under way."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Request
from auditd.servicestage.transport import Line, Transport, TransportOptions
from tests.unit.servicestage.conftest import Serve


async def fine(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def test_a_request_under_way_ends_on_the_line_it_is_on(serve: Serve) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/slow" in head:
            asked.set()
            await may_answer.wait()
        await fine(head, writer)

    origin = f"http://127.0.0.1:{await serve(slow)}"
    async with Transport(TransportOptions()) as transport:
        former = transport._line
        waiting = asyncio.create_task(
            transport.send(Request("GET", origin, "/slow"), timeout_seconds=5)
        )
        await asked.wait()
        transport.adopt(Line(TransportOptions(max_body_bytes=1)))
        await transport.hang_up()
        with pytest.raises(PollError) as caught:
            await transport.send(Request("GET", origin, "/fast"), timeout_seconds=5)
        assert caught.value.reason is FailureReason.TOO_LARGE
        assert former.session is not None
        may_answer.set()
        assert (await waiting).body == b"{}"
        assert former.session is None
        assert transport._former == []


async def test_an_idle_line_is_closed_at_once(serve: Serve) -> None:
    async with Transport(TransportOptions()) as transport:
        former = transport._line
        transport.adopt(Line(TransportOptions()))
        await transport.hang_up()
        assert former.session is None


async def test_whom_the_new_line_trusts_counts_from_the_next_request(
    serve: Serve, tmp_path: Path
) -> None:
    one, other = trustme.CA(), trustme.CA()
    for name, authority in (("one", one), ("other", other)):
        authority.cert_pem.write_to_path(str(tmp_path / name))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.issue_cert("127.0.0.1").configure_cert(context)
    request = Request("GET", f"https://127.0.0.1:{await serve(fine, tls=context)}", "/")
    async with Transport(TransportOptions(ca_file=tmp_path / "one")) as transport:
        with pytest.raises(PollError) as caught:
            await transport.send(request, timeout_seconds=5)
        assert caught.value.reason is FailureReason.TLS
        transport.adopt(Line(TransportOptions(ca_file=tmp_path / "other")))
        assert (await transport.send(request, timeout_seconds=5)).status == 200
