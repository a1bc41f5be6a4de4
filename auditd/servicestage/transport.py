"""The one way out: sends a request, brings a complete answer or says why there is none.

Whatever the far side does costs at most the deadline and a few times `max_body_bytes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import hdrs
from yarl import URL

from auditd import __version__
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.message import Answer, Request, host_of
from auditd.servicestage.trust import tls_context
from auditd.servicestage.wire_faults import WIRE_ERRORS, wire_fault

_HEADER_LIMIT_BYTES = 128 * 1024
"""IAM's tokens are header values of 9 kB and more, where aiohttp stops at 8190 bytes."""

_CHUNK_BYTES = 64 * 1024
_CONNECT_SECONDS = 10.0
_MOST_URLS = 16_384
"""Those that are kept ready, because the same are asked again and again."""
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


class Line:
    """One way out with its options, and how many requests use it. It may be made in any thread.

    Raises:
        ValueError: a file of the options cannot be used.
    """

    def __init__(self, options: TransportOptions) -> None:
        self.options = options
        self.users = 0
        self._tls = tls_context(options.ca_file, options.cert_file, options.key_file)
        self.session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make the session, which connects when it is first used."""
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=0, ttl_dns_cache=60, keepalive_timeout=30
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=_HEADER_LIMIT_BYTES,
            max_field_size=_HEADER_LIMIT_BYTES,
        )

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        session, self.session = self.session, None
        if session:
            await session.close()


class Transport:
    """Sends requests as they are: it neither signs, nor follows redirects, nor keeps cookies.

    To be used as an asynchronous context manager, which owns the connections. How many requests
    are under way is the caller's to limit. A GET whose connection is lost before its answer is
    sent once more by aiohttp, since kept-alive connections die so; nothing else is repeated.

    Args:
        way: a line, or the options of one that is made then and there.

    Raises:
        ValueError: on construction, when a file of the options cannot be used.
    """

    def __init__(self, way: TransportOptions | Line) -> None:
        self._line = way if isinstance(way, Line) else Line(way)
        self._former: list[Line] = []
        self._is_open = False

    async def __aenter__(self) -> Self:
        self._line.open()
        self._is_open = True
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        for line in (self._line, *self._former):
            await line.close()
        self._former.clear()

    def adopt(self, line: Line) -> None:
        """Send by this line from now on. Requests under way end on the line they are on."""
        if self._is_open:
            line.open()
        self._former.append(self._line)
        self._line = line

    async def hang_up(self) -> None:
        """Close former lines that nobody uses any more."""
        idle = [line for line in self._former if not line.users]
        self._former = [line for line in self._former if line.users]
        for line in idle:
            await line.close()

    async def send(self, request: Request, *, timeout_seconds: float | None) -> Answer:
        """Send `request` and read its answer, whatever its status.

        Args:
            request: Path and query go out byte for byte as they were signed. Header values
                are text and go out as UTF-8.
            timeout_seconds: From now to the last byte of the answer; None when whoever waits
                has a deadline for more than this, because each costs as much as signing.

        Raises:
            PollError: DNS, CONNECT, TLS, TIMEOUT, MALFORMED or TOO_LARGE; BAD_REQUEST when the
                request cannot be put on the wire at all.
        """
        line = self._line
        line.users += 1
        try:
            if timeout_seconds is None:
                return await _exchange(line, request)
            async with asyncio.timeout(timeout_seconds):
                return await _exchange(line, request)
        except WIRE_ERRORS as error:
            fault = wire_fault(error, host_of(request.origin), timeout_seconds=timeout_seconds)
        finally:
            line.users -= 1
            if self._former:
                await self.hang_up()
        # Outside the handler, so that the exception with the request's headers is not its context.
        raise fault


async def _exchange(line: Line, request: Request) -> Answer:
    if not line.session:
        msg = "a Transport sends only inside its `async with`"
        raise RuntimeError(msg)
    url = _url(request.origin, request.target, request.query)
    response = await line.session.request(
        request.method,
        url,
        headers=request.headers,
        data=request.body or None,
        allow_redirects=False,
        proxy=_proxy(line.options, url),
    )
    try:
        body = await _read(response, line.options.max_body_bytes)
    finally:
        if not response.closed:  # a complete one has given its connection back
            response.close()
    if body is None:
        msg = (
            f"{host_of(request.origin)} answered {response.status} with more than"
            f" {line.options.max_body_bytes} bytes; check the endpoint"
        )
        raise PollError(FailureReason.TOO_LARGE, msg)
    return Answer(response.status, response.headers, body)


@lru_cache(maxsize=_MOST_URLS)
def _url(origin: str, target: str, query: tuple[tuple[str, str], ...]) -> URL:
    told = f"?{urlencode(query, quote_via=quote, safe='')}" if query else ""
    return URL(f"{origin}{target}{told}", encoded=True)


def _read(response: aiohttp.ClientResponse, limit_bytes: int) -> Awaitable[bytes | None]:
    """The body, decompressed no further than is asked for; None when it is too large."""
    length = response.content_length
    is_fit = length is not None and length <= limit_bytes
    if is_fit and hdrs.CONTENT_ENCODING not in response.headers:
        return response.read()  # nothing of it comes that was not announced
    return _read_parts(response, limit_bytes)


async def _read_parts(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes | None:
    if (response.content_length or 0) > limit_bytes:
        return None
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > limit_bytes:
            return None
    return bytes(body)


def _proxy(options: TransportOptions, url: URL) -> str | None:
    """The URL of the proxy for `url`, which may hold a password; None when there is none.

    Not left to aiohttp's `trust_env`, which would also send the passwords of ~/.netrc.
    """
    try:
        configured = options.proxy_url() if options.proxy_url else None
    except OSError as error:
        msg = f"the URL of the proxy cannot be read: {error.strerror or error}"
        raise PollError(FailureReason.CONNECT, msg) from error
    if configured or not options.proxy_from_environment:
        return configured
    return None if proxy_bypass(url.authority) else getproxies().get(url.scheme)
