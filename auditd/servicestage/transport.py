"""The one way out: sends a request, brings a complete answer or says why there is none.

Whatever the far side does costs at most the deadline and a few times `max_body_bytes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from auditd import __version__
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Answer, Request
from auditd.servicestage.trust import tls_context
from auditd.servicestage.wire_faults import WIRE_ERRORS, wire_fault

_HEADER_LIMIT_BYTES = 128 * 1024
"""IAM's tokens are header values of 9 kB and more, where aiohttp stops at 8190 bytes."""

_CHUNK_BYTES = 64 * 1024
_CONNECT_SECONDS = 10.0
_HEADERS = {
    "User-Agent": f"servicestage-auditd/{__version__}",
    "Accept-Encoding": "gzip, deflate",
}
"""Sent with every request. They are added after signing, so they are not signed."""


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How the outside is reached.

    `ca_file`, `cert_file` and `key_file` are PEM files, see `tls_context`.
    `proxy_url` is asked for each request, because it may hold a password that changes; when it
    is or gives None, `proxy_from_environment` says whether `https_proxy`, `http_proxy` and
    `no_proxy` count. `max_body_bytes` is the size of a body after decompression that is still
    accepted.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    proxy_url: Callable[[], str | None] | None = None
    proxy_from_environment: bool = False
    max_body_bytes: int = 8 * 1024 * 1024


class Transport:
    """Sends requests as they are: it neither signs, nor follows redirects, nor keeps cookies.

    To be used as an asynchronous context manager, which owns the connections. How many requests
    are under way is the caller's to limit. A GET whose connection is lost before its answer is
    sent once more by aiohttp, since kept-alive connections die so; nothing else is repeated.

    Raises:
        ValueError: on construction, when a file of the options cannot be used.
    """

    def __init__(self, options: TransportOptions) -> None:
        self._options = options
        self._tls = tls_context(options.ca_file, options.cert_file, options.key_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=0, ttl_dns_cache=60, keepalive_timeout=30
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_HEADER_LIMIT_BYTES,
            max_field_size=_HEADER_LIMIT_BYTES,
        )
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def send(self, request: Request, *, timeout_seconds: float) -> Answer:
        """Send `request` and read its answer, whatever its status.

        Args:
            request: Path and query go out byte for byte as they were signed. Header values
                are text and go out as UTF-8.
            timeout_seconds: From now to the last byte of the answer.

        Raises:
            PollError: DNS, CONNECT, TLS, TIMEOUT, MALFORMED or TOO_LARGE; BAD_REQUEST when the
                request cannot be put on the wire at all.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._exchange(request)
        except WIRE_ERRORS as error:
            fault = wire_fault(error, _host(request.origin), timeout_seconds=timeout_seconds)
        # Outside the handler, so that the exception with the request's headers is not its context.
        raise fault

    async def _exchange(self, request: Request) -> Answer:
        if not self._session:
            msg = "a Transport sends only inside its `async with`"
            raise RuntimeError(msg)
        query = f"?{urlencode(request.query, quote_via=quote, safe='')}" if request.query else ""
        url = URL(f"{request.origin}{request.target}{query}", encoded=True)
        async with self._session.request(
            request.method,
            url,
            headers=request.headers,
            data=request.body or None,
            allow_redirects=False,
            proxy=self._proxy(url),
        ) as response:
            body = await self._read(response)
            if body is None:
                msg = (
                    f"{_host(request.origin)} answered {response.status} with more than"
                    f" {self._options.max_body_bytes} bytes; check the endpoint"
                )
                raise PollError(FailureReason.TOO_LARGE, msg)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, body)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes | None:
        """The body, decompressed no further than is asked for; None when it is too large."""
        limit_bytes = self._options.max_body_bytes
        if (response.content_length or 0) > limit_bytes:
            return None
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > limit_bytes:
                return None
        return bytes(body)

    def _proxy(self, url: URL) -> str | None:
        """The URL of the proxy for `url`, which may hold a password; None when there is none.

        Not left to aiohttp's `trust_env`, which would also send the passwords of ~/.netrc.
        """
        try:
            configured = self._options.proxy_url() if self._options.proxy_url else None
        except OSError as error:
            msg = f"the URL of the proxy cannot be read: {error.strerror}"
            raise PollError(FailureReason.CONNECT, msg) from error
        if configured or not self._options.proxy_from_environment:
            return configured
        return None if proxy_bypass(url.authority) else getproxies().get(url.scheme)


def _host(origin: str) -> str:
    """Host and port for a message, without user info."""
    return origin.rpartition("://")[2].rpartition("@")[2]
