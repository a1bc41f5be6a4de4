from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.events import SendFailure
from auditd.hooks.address import BlockedAddressError, guarded_socket, is_blocked
from auditd.hooks.http import HttpClient
from auditd.hooks.port import HttpRequest, RefusedError

METADATA = ipaddress.IPv4Address("169.254.169.254")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.255",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fe80::1%lo",
        "febf::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "::169.254.169.254",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "2001:0:1:2:3:4:5601:5601",
        "2001:db8::5efe:169.254.169.254",
        "fd00::200:5efe:169.254.169.254",
    ],
)
def test_an_address_of_a_metadata_service_or_of_no_host_is_blocked(address: str) -> None:
    assert is_blocked(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "8.8.8.8",
        "fd00::1",
        "2606:4700::1111",
        "::ffff:10.0.0.1",
        "169.253.255.255",
        "169.255.0.1",
    ],
)
def test_private_and_public_addresses_are_fine(address: str) -> None:
    assert not is_blocked(address)


@given(st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_link_local_is_blocked_in_every_translation(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for form in (
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x0064FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ):
        assert is_blocked(str(form))


@given(st.ip_addresses())
def test_every_address_gets_a_verdict(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    assert is_blocked(str(address)) in {True, False}


def test_no_socket_is_made_for_a_blocked_address() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", (str(METADATA), 80))
    with pytest.raises(BlockedAddressError):
        guarded_socket(info)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",  # the same as one number
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "0",
        "0.0.0.0",
        "[::]",
    ],
)
async def test_no_spelling_in_a_url_leads_to_a_blocked_address(http: HttpClient, host: str) -> None:
    with pytest.raises(RefusedError) as caught:
        await http.send(HttpRequest(f"http://{host}:9/latest", b""), hook="ops")
    assert caught.value.reason in {SendFailure.BLOCKED_ADDRESS, SendFailure.REFUSED}


async def test_a_name_that_leads_only_to_blocked_addresses_is_refused(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
            for address in ("169.254.169.254", "100.100.100.200")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RefusedError) as caught:
        await http.send(HttpRequest("http://rebound.example/", b""), hook="ops")
    assert caught.value.reason is SendFailure.BLOCKED_ADDRESS
