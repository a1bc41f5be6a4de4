from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from aiohttp.connector import _SSL_CONTEXT_VERIFIED

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Request
from auditd.servicestage.transport import Transport, TransportOptions
from auditd.servicestage.trust import tls_context
from tests.unit.servicestage.conftest import Listen, Serve

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def client_file(authority: trustme.CA, ca_file: Path) -> Path:
    path = ca_file.with_name("client.pem")
    authority.issue_cert("auditd@acme.example").private_key_and_cert_chain_pem.write_to_path(
        str(path)
    )
    return path


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


async def fine(_head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


async def reason_of(options: TransportOptions, origin: str) -> tuple[FailureReason, str]:
    async with Transport(options) as transport:
        with pytest.raises(PollError) as caught:
            await transport.send(Request("GET", origin, "/"), timeout_seconds=0.5)
    return caught.value.reason, str(caught.value)


async def test_a_certificate_of_the_configured_authority_is_trusted(
    authority: trustme.CA, ca_file: Path, serve: Serve
) -> None:
    port = await serve(fine, tls=server_side(authority.issue_cert("127.0.0.1")))
    async with Transport(TransportOptions(ca_file=ca_file)) as transport:
        answer = await transport.send(
            Request("GET", f"https://127.0.0.1:{port}", "/"), timeout_seconds=2
        )
    assert answer.body == b"{}"


async def test_an_unknown_authority_is_tls(authority: trustme.CA, serve: Serve) -> None:
    port = await serve(fine, tls=server_side(authority.issue_cert("127.0.0.1")))
    reason, message = await reason_of(TransportOptions(), f"https://127.0.0.1:{port}")
    assert reason is FailureReason.TLS
    assert "CERTIFICATE_VERIFY_FAILED" in message


async def test_a_certificate_of_another_host_is_tls(
    authority: trustme.CA, ca_file: Path, serve: Serve
) -> None:
    port = await serve(fine, tls=server_side(authority.issue_cert("elsewhere.example")))
    reason, message = await reason_of(
        TransportOptions(ca_file=ca_file), f"https://127.0.0.1:{port}"
    )
    assert reason is FailureReason.TLS
    assert "not valid for '127.0.0.1'" in message


async def test_an_expired_certificate_is_tls(
    authority: trustme.CA, ca_file: Path, serve: Serve
) -> None:
    expired = authority.issue_cert("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO)
    port = await serve(fine, tls=server_side(expired))
    reason, message = await reason_of(
        TransportOptions(ca_file=ca_file), f"https://127.0.0.1:{port}"
    )
    assert reason is FailureReason.TLS
    assert "expired" in message


def test_tls_1_2_is_the_oldest_that_is_spoken(ca_file: Path) -> None:
    own = tls_context(ca_file, None, None)
    assert own is not True
    assert tls_context(None, None, None) is True
    for context in (own, _SSL_CONTEXT_VERIFIED):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


async def test_a_port_without_tls_is_tls(listen: Listen) -> None:
    async def talk_http(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    origin = f"https://127.0.0.1:{await listen(talk_http)}"
    reason, _ = await reason_of(TransportOptions(), origin)
    assert reason is FailureReason.TLS


async def test_a_handshake_that_never_ends_is_timeout(listen: Listen) -> None:
    async def keep_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    origin = f"https://127.0.0.1:{await listen(keep_silent)}"
    reason, _ = await reason_of(TransportOptions(), origin)
    assert reason is FailureReason.TIMEOUT


async def test_an_alert_after_the_handshake_is_tls(
    authority: trustme.CA, ca_file: Path, listen: Listen
) -> None:
    """In TLS 1.3 the client is done before the server has missed the client's certificate."""
    context = server_side(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(received, sent, server_side=True)
        while True:
            received.write(await reader.read(65_536))
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(sent.read())
            except ssl.SSLError:
                break
        writer.write(sent.read())
        await reader.read()  # so that closing sends FIN and no RST, which would lose the alert

    origin = f"https://127.0.0.1:{await listen(refuse)}"
    reason, message = await reason_of(TransportOptions(ca_file=ca_file), origin)
    assert reason is FailureReason.TLS
    assert "CERTIFICATE_REQUIRED" in message


async def test_plain_http_to_a_tls_port_is_no_answer(authority: trustme.CA, serve: Serve) -> None:
    port = await serve(fine, tls=server_side(authority.issue_cert("127.0.0.1")))
    reason, _ = await reason_of(TransportOptions(), f"http://127.0.0.1:{port}")
    assert reason is FailureReason.CONNECT


async def test_a_server_that_wants_a_certificate_gets_ours(
    authority: trustme.CA, ca_file: Path, client_file: Path, serve: Serve
) -> None:
    context = server_side(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    origin = f"https://127.0.0.1:{await serve(fine, tls=context)}"
    options = TransportOptions(ca_file=ca_file, cert_file=client_file)
    async with Transport(options) as transport:
        answer = await transport.send(Request("GET", origin, "/"), timeout_seconds=2)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (lambda path: TransportOptions(ca_file=path / "missing.pem"), "missing.pem"),
        (lambda path: TransportOptions(ca_file=path / "empty.pem"), "empty.pem"),
        (lambda path: TransportOptions(cert_file=path / "missing.pem"), "missing.pem"),
        (lambda path: TransportOptions(cert_file=path / "empty.pem"), "empty.pem"),
        (lambda path: TransportOptions(key_file=path / "key.pem"), "key.pem"),
    ],
    ids=["no CA", "empty CA", "no certificate", "empty certificate", "key alone"],
)
def test_an_unusable_file_is_named_when_the_transport_is_made(
    options: Callable[[Path], TransportOptions], named: str, tmp_path: Path
) -> None:
    (tmp_path / "empty.pem").touch()
    with pytest.raises(ValueError, match=named):
        Transport(options(tmp_path))
