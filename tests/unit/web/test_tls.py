from __future__ import annotations

import asyncio
import ssl
import warnings
from typing import Any

import pytest
import trustme

from auditd.web.address import Address
from auditd.web.health import Readiness, make_health_app
from auditd.web.listener import Listener, open_listener
from auditd.web.security import Security
from auditd.web.tls import TlsError, alternative_names, common_name, make_context
from tests.unit.web.secured import ADDRESS, LONG_AGO, Issuer, fetch

ISSUER = Issuer()
OTHER = Issuer()


def app() -> Any:
    return make_health_app(Readiness)


async def negotiated(security: Security, client: ssl.SSLContext) -> ssl.SSLObject | None:
    """What a client and the listener agree on; None when they do not."""
    async with open_listener(app(), [ADDRESS], security) as listener:
        (address,) = listener.addresses
        try:
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=client)
        except OSError:
            return None
        ssl_object: ssl.SSLObject = writer.get_extra_info("ssl_object")
        writer.close()
        await writer.wait_closed()
        return ssl_object


def speaking(version: ssl.TLSVersion, issuer: Issuer = ISSUER) -> ssl.SSLContext:
    context = issuer.client()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize(
    ("lowest", "spoken", "is_agreed"),
    [
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, True),
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2, False),
        (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, True),
    ],
)
async def test_versions_below_the_lowest_are_refused(
    lowest: ssl.TLSVersion, spoken: ssl.TLSVersion, *, is_agreed: bool
) -> None:
    security = Security(context=await ISSUER.context(lowest=lowest))
    assert (await negotiated(security, speaking(spoken)) is not None) is is_agreed


async def test_only_the_chosen_ciphers_are_spoken() -> None:
    issuer = Issuer(key_type=trustme.KeyType.RSA)
    ciphers = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256")
    security = Security(context=await issuer.context(ciphers=ciphers))
    client = speaking(ssl.TLSVersion.TLSv1_2, issuer)
    client.set_ciphers(":".join(reversed(ciphers)))
    agreed = await negotiated(security, client)
    assert agreed
    assert (agreed.cipher() or [""])[0] == ciphers[0]
    client.set_ciphers("ECDHE-RSA-AES256-SHA")
    assert await negotiated(security, client) is None
    context = await issuer.context(ciphers=ciphers, is_server_choosing=False)
    client.set_ciphers(":".join(reversed(ciphers)))
    agreed = await negotiated(Security(context=context), client)
    assert agreed
    assert (agreed.cipher() or [""])[0] == ciphers[1]


async def test_ciphers_of_tls_1_3_alone_mean_that_nothing_older_is_spoken() -> None:
    security = Security(context=await ISSUER.context(ciphers=()))
    assert await negotiated(security, speaking(ssl.TLSVersion.TLSv1_2)) is None
    assert await negotiated(security, ISSUER.client())


async def test_only_the_chosen_curve_is_spoken() -> None:
    security = Security(context=await ISSUER.context(curve="secp521r1"))
    client = ISSUER.client()
    client.set_ecdh_curve("secp384r1")
    assert await negotiated(security, client) is None
    client.set_ecdh_curve("secp521r1")
    assert await negotiated(security, client)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("certificate", "status"),
    [
        (ISSUER.authority.issue_cert("scraper.example"), 200),
        (ISSUER.authority.issue_cert("ops@acme.example", common_name="ops"), 200),
        (ISSUER.authority.create_child_ca().issue_cert("scraper.example"), 200),
        (ISSUER.authority.issue_cert("other.example"), None),
        (ISSUER.authority.issue_cert("scraper.example.evil"), None),
        (ISSUER.authority.issue_cert("scraper.example", not_after=LONG_AGO), None),
        (OTHER.authority.issue_cert("scraper.example"), None),
        (None, None),
    ],
)
async def test_only_clients_with_an_allowed_certificate_are_served(
    certificate: trustme.LeafCert | None, status: int | None, version: ssl.TLSVersion
) -> None:
    security = await ISSUER.demanding("scraper.example", "ops@acme.example")
    client = ISSUER.client(certificate)
    client.minimum_version = client.maximum_version = version
    async with open_listener(app(), [ADDRESS], security) as listener:
        assert await fetch(listener.addresses[0], client) == status


@pytest.mark.parametrize(
    ("certificate", "status"),
    [
        (ISSUER.authority.issue_cert("scraper.example"), 200),
        (OTHER.authority.issue_cert("scraper.example"), None),
        (None, 200),
    ],
)
async def test_a_certificate_that_is_optional_is_verified_when_given(
    certificate: trustme.LeafCert | None, status: int | None
) -> None:
    security = await ISSUER.demanding(policy=ssl.CERT_OPTIONAL)
    async with open_listener(app(), [ADDRESS], security) as listener:
        assert await fetch(listener.addresses[0], ISSUER.client(certificate)) == status


async def test_an_empty_list_of_names_lets_nobody_in() -> None:
    security = Security(context=(await ISSUER.demanding()).context, allowed_names=frozenset())
    client = ISSUER.client(ISSUER.authority.issue_cert("scraper.example"))
    async with open_listener(app(), [ADDRESS], security) as listener:
        assert await fetch(listener.addresses[0], client) is None


async def test_who_does_not_encrypt_is_not_served() -> None:
    security = Security(context=await ISSUER.context())
    async with open_listener(app(), [ADDRESS], security) as listener:
        assert await fetch(listener.addresses[0]) is None
        assert await fetch(listener.addresses[0], ISSUER.client()) == 200


async def test_a_request_right_behind_the_handshake_is_answered() -> None:
    """The event loop may hand over both at once."""
    async with open_listener(
        app(), [ADDRESS], Security(context=await ISSUER.context())
    ) as listener:
        await asyncio.gather(*(_ask_at_once(listener) for _ in range(20)))


async def _ask_at_once(listener: Listener) -> None:
    (address,) = listener.addresses
    inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ISSUER.client().wrap_bio(inward, outward, server_hostname=address.host)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    while True:
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            writer.write(outward.read())
            inward.write(await reader.read(65536))
    client.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    writer.write(outward.read())  # the handshake's last message and the request
    while True:
        inward.write(await reader.read(65536))
        try:
            assert client.read(12) == b"HTTP/1.1 200"
            break
        except ssl.SSLWantReadError:
            continue
    writer.transport.abort()


def test_certificates_and_keys_that_do_not_fit_are_told_apart() -> None:
    good, other = ISSUER.options(), OTHER.options()
    with pytest.raises(TlsError, match="does not belong to the certificate"):
        make_context(ISSUER.options(key=other.key))
    with pytest.raises(TlsError, match="in PEM is missing"):
        make_context(ISSUER.options(key=b""))
    with pytest.raises(TlsError, match="in PEM"):
        make_context(ISSUER.options(certificate=b"x"))
    with pytest.raises(TlsError, match="clients' authority cannot be used"):
        make_context(ISSUER.options(client_authority=b"\xff", client_certificate=ssl.CERT_REQUIRED))
    assert good.key.decode() not in repr(good)


def test_names_are_written_as_go_writes_them() -> None:
    names = (
        ("DNS", "a.example"),
        ("email", "ops@a.example"),
        ("URI", "spiffe://a/b"),
        ("IP Address", "192.0.2.1"),
        ("IP Address", "2001:DB8:0:0:0:0:0:1"),
    )
    assert alternative_names({"subjectAltName": names}) == {
        *("a.example", "ops@a.example", "spiffe://a/b", "192.0.2.1", "2001:db8::1")
    }
    assert alternative_names({}) == frozenset()
    assert common_name({"subject": ((("countryName", "CN"),), (("commonName", "ops"),))}) == "ops"
    assert common_name({}) == ""


async def test_the_address_can_be_used_again_at_once() -> None:
    security = Security(context=await ISSUER.context())
    async with open_listener(app(), [ADDRESS], security) as listener:
        (address,) = listener.addresses
        assert await fetch(address, ISSUER.client()) == 200
    async with open_listener(app(), [Address(address.host, address.port)], security) as listener:
        assert await fetch(address, ISSUER.client()) == 200


async def test_an_intermediate_authority_can_be_trusted_alone() -> None:
    child = ISSUER.authority.create_child_ca()
    trusted = child.cert_pem.bytes()
    context = await ISSUER.context(client_authority=trusted, client_certificate=ssl.CERT_REQUIRED)
    async with open_listener(app(), [ADDRESS], Security(context=context)) as listener:
        (address,) = listener.addresses
        of_child = ISSUER.client(child.issue_cert("a.example"))
        of_root = ISSUER.client(ISSUER.authority.issue_cert("a.example"))
        assert await fetch(address, of_child) == 200
        assert await fetch(address, of_root) is None
