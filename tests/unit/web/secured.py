"""Certificates, and a listener that wants them."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import trustme
from aiohttp import ClientError, ClientSession, TCPConnector

from auditd.web.address import Address
from auditd.web.security import Security
from auditd.web.tls import TlsOptions, make_context

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ADDRESS = Address("127.0.0.1", 0)


@dataclass(frozen=True)
class Issuer:
    """An authority, and what it signed for the server."""

    authority: trustme.CA = field(default_factory=trustme.CA)
    key_type: trustme.KeyType = trustme.KeyType.ECDSA

    def options(self, **changes: Any) -> TlsOptions:
        server = self.authority.issue_cert("127.0.0.1", key_type=self.key_type)
        pem = server.private_key_pem.bytes()
        chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
        return replace(TlsOptions(certificate=chain, key=pem), **changes)

    async def context(self, **changes: Any) -> ssl.SSLContext:
        """What the server encrypts with."""
        return await asyncio.to_thread(make_context, self.options(**changes))

    async def demanding(self, *names: str, policy: ssl.VerifyMode = ssl.CERT_REQUIRED) -> Security:
        """Wants certificates of this authority, for one of the names if there are any."""
        ca = self.authority.cert_pem.bytes()
        context = await self.context(client_authority=ca, client_certificate=policy)
        allowed = frozenset(names) if names else None
        return Security(context=context, allowed_names=allowed)

    def client(self, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
        """What a client of the server speaks with."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if certificate:
            certificate.configure_cert(context)
        return context


async def fetch(
    address: Address, context: ssl.SSLContext | None = None, path: str = "/-/healthy", **more: Any
) -> int | None:
    """The status of an answer on a connection of its own; None when there is none."""
    scheme = "https" if context else "http"
    connector = TCPConnector(ssl=context or False, force_close=True)
    try:
        async with (
            ClientSession(connector=connector) as client,
            client.get(f"{scheme}://{address}{path}", **more) as response,
        ):
            return response.status
    except (ClientError, OSError):
        return None
