"""Where to listen, as people write it: HOST:PORT, [IPv6]:PORT, or :PORT for all interfaces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address

_ADDRESS = re.compile(r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<host>[^\[\]:\s]*)):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host name or IP address, empty for all interfaces, and a TCP port; 0 is any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect. Any name but localhost counts as reachable."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read one --web.listen-address.

    Raises:
        ValueError: it is not of that form; the message says which form it has.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > _HIGHEST_PORT:
        msg = (
            f"listen address {text!r}: write HOST:PORT, [IPv6]:PORT or :PORT, "
            f"with a port from 0 to {_HIGHEST_PORT}"
        )
        raise ValueError(msg)
    return Address(match["bracketed"] or match["host"] or "", int(match["port"]))
