"""Who may connect, who may ask, and how often: what one listener goes by until the next reload."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditd.web.address import Address
from auditd.web.tls import alternative_names


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, and one more each `interval_seconds`, which are above 0."""

    interval_seconds: float
    burst: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """By default everybody is served, unencrypted."""

    context: ssl.SSLContext | None = None
    """None serves plain HTTP."""
    allowed_names: frozenset[str] | None = None
    """Of a client's alternative names one must be among these; None is no condition."""
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Name -> bcrypt hash. Where there are any, every request must come from one of them."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Added to each answer that does not set them itself."""
    rate: Rate | None = None
    """Of all requests together."""

    @property
    def needs_certificate(self) -> bool:
        """Whether nobody is served without a verified certificate."""
        return self.context is not None and self.context.verify_mode == ssl.CERT_REQUIRED

    def is_welcome(self, peer_certificate: Mapping[str, Any] | None, *, encrypted: bool) -> bool:
        """Whether a connection may be served.

        Args:
            peer_certificate: the client's, verified; None or empty without one.
            encrypted: whether it is.
        """
        if encrypted != (self.context is not None):
            return False
        if self.needs_certificate and not peer_certificate:
            return False
        if self.allowed_names is None:
            return True
        return not self.allowed_names.isdisjoint(alternative_names(peer_certificate or {}))


def warnings_of(addresses: Sequence[Address], security: Security) -> tuple[str, ...]:
    """What is dangerous about listening there, in sentences for the log."""
    exposed = ", ".join(str(address) for address in addresses if not address.is_loopback)
    if not exposed:
        return ()
    found = []
    if not security.users and not security.needs_certificate:
        found.append(
            f"whoever can reach {exposed} can read everything here; set basic_auth_users or client"
            " certificates in the file of --web.config.file, or listen on 127.0.0.1"
        )
    if security.users and security.context is None:
        found.append(
            f"passwords cross the network unencrypted to {exposed}; set tls_server_config in the"
            " file of --web.config.file"
        )
    return tuple(found)
