"""The one way out over HTTP for all hooks.

Whatever a receiver does costs at most the deadline and 64 KiB.
"""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from auditd import __version__
from auditd.alerting.events import SendFailure
from auditd.hooks.address import BlockedAddressError, guarded_socket
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.port import HookError, HttpAnswer, HttpRequest, RefusedError, RetryLaterError

DEADLINE_SECONDS = 15.0
"""From the first packet to the last byte.

Source: https://github.com/standard-webhooks/standard-webhooks (15 to 30 s)
"""

BODY_LIMIT_BYTES = 64 * 1024
_CHUNK_BYTES = 16 * 1024

_FAULTS: tuple[tuple[tuple[type[BaseException], ...], SendFailure, str], ...] = (
    ((TimeoutError,), SendFailure.TIMEOUT, "the receiver gave no complete answer in time"),
    (
        (aiohttp.ClientConnectorDNSError,),
        SendFailure.DNS,
        "the receiver's name has no address; check its url and the name servers",
    ),
    (
        (aiohttp.ClientSSLError, ssl.SSLError),
        SendFailure.TLS,
        "the receiver could not be trusted or spoke no TLS; check its url and certificate",
    ),
    (
        (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, HttpProcessingError),
        SendFailure.SERVER,
        "the receiver sent what is no HTTP answer, or broke it off; check its url",
    ),
)
"""Kinds of exceptions, the reason, and what is said. The first that fits counts."""


class HttpClient:
    """Posts what hooks give it: it follows no redirects, keeps no cookies and uses no proxy.

    To be used as an asynchronous context manager, which owns the connections. No URL or header
    gets into an error: both may hold secrets.

    Args:
        tls: whom to trust. Without it the system's authorities, in aiohttp's own context: to read
            them once more takes 40 ms and a megabyte.
        deadline_seconds: from the first packet to the last byte.
    """

    def __init__(
        self, tls: ssl.SSLContext | None = None, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._tls = tls or True
        self._deadline_seconds = deadline_seconds
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls,
                socket_factory=guarded_socket,
                limit=0,  # a receiver that hangs must not take the others' places
                ttl_dns_cache=60,
                keepalive_timeout=30,
            ),
            timeout=aiohttp.ClientTimeout(total=None),
            headers={"User-Agent": f"servicestage-auditd/{__version__}"},
            cookie_jar=aiohttp.DummyCookieJar(),
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

    async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
        """See Http."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                return await self._exchange(request)
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as error:
            fault = _fault(error, hook)
        # Outside the handler, so that the exception with URL and headers is not its context.
        raise fault

    async def _exchange(self, request: HttpRequest) -> HttpAnswer:
        if not self._session:
            msg = "an HttpClient sends only inside its `async with`"
            raise RuntimeError(msg)
        async with self._session.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                body += chunk
                if len(body) >= BODY_LIMIT_BYTES:
                    break
            headers = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(response.status, headers, bytes(body[:BODY_LIMIT_BYTES]))


def _fault(error: BaseException, hook: str) -> HookError:
    """The error without what it knows of the request."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, BlockedAddressError):
        msg = f"hook {hook!r}: {cause.strerror}; check what the receiver's name resolves to"
        return RefusedError(SendFailure.BLOCKED_ADDRESS, msg)
    for kinds, reason, said in _FAULTS:
        if isinstance(error, kinds):
            return RetryLaterError(reason, f"hook {hook!r}: {said}")
    if isinstance(error, (ValueError, aiohttp.NonHttpUrlClientError)):
        msg = f"hook {hook!r}: nothing can be sent so: its url or a header's value is not valid"
        return RefusedError(SendFailure.REFUSED, msg)
    detail = excerpt(cause.strerror or "") if isinstance(cause, OSError) else ""
    msg = f"hook {hook!r}: the receiver refused or closed the connection; check its url"
    # After the handshake an alert such as "certificate required" comes as a broken connection.
    reason = SendFailure.TLS if "[SSL" in detail else SendFailure.CONNECT
    return RetryLaterError(reason, f"{msg} ({detail})" if detail else msg)
