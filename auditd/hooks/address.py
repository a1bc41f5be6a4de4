"""Which addresses nothing is ever sent to, whatever name or spelling led there.

Private addresses are fine, since that is where receivers are. What is refused are the services
that hand out a machine's credentials to whoever connects from it, and addresses of no one host.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from aiohttp.connector import AddrInfoType

_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host, by a name of no host
        "169.254.0.0/16",  # link-local, and there the metadata of most clouds
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # the wire server of Azure
        "192.0.0.192/32",  # metadata of Oracle Cloud
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/128",
        "fe80::/10",  # link-local
        "fd00:ec2::254/128",  # metadata of AWS
        "fd20:ce::254/128",  # metadata of Google Cloud
        "ff00::/8",  # multicast
    )
)

_EMBEDDING_AT_END = tuple(
    ip_network(network)
    for network in (
        "::/96",  # compatible with IPv4, deprecated
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # NAT64 of a network of one's own, RFC 8215
    )
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
"""The third quarter of an address that ends in one of IPv4 (RFC 5214)."""


class BlockedAddressError(OSError):
    """A connection was not even tried."""

    def __init__(self) -> None:
        # One text for all addresses: then the connector keeps the type when all are blocked.
        super().__init__(errno.EACCES, "addresses of metadata services are never connected to")


def is_blocked(host: str) -> bool:
    """Whether nothing is ever sent to this address, written as in a socket address.

    Raises:
        ValueError: it is not an IP address.
    """
    address = ip_address(host)
    return any(form in network for form in _forms(address) for network in _NEVER)


def guarded_socket(addr_info: AddrInfoType) -> socket.socket:
    """A socket for the connector, which asks for one just before it connects to the address.

    Because it is asked at that moment, names cannot be changed between check and use.

    Raises:
        BlockedAddressError: nothing is ever sent to this address.
    """
    family, kind, protocol, _, address = addr_info
    host: Any = address[0]
    if is_blocked(str(host)):
        raise BlockedAddressError
    return socket.socket(family=family, type=kind, proto=protocol)


def _forms(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The address, and those of IPv4 that it may be translated to on its way."""
    yield address
    if isinstance(address, IPv4Address) or address.is_loopback:
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    number = int(address)
    is_isatap = number >> 32 & 0xFFFFFFFF in _ISATAP
    if is_isatap or any(address in network for network in _EMBEDDING_AT_END):
        yield IPv4Address(number & 0xFFFFFFFF)
