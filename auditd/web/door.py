"""What a connection passes before it may speak HTTP: a place, encryption, recognition.

Connections are encrypted one by one with what is in force when they come. So a reload touches
neither the listening sockets nor the connections that are there.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from auditd.web.connections import Connections
from auditd.web.security import Security

HANDSHAKE_SECONDS = 5.0
_GOODBYE_SECONDS = 2.0
"""How long a peer may take to confirm the end of an encrypted connection."""
_LOGGER = logging.getLogger(__name__)


class Doorkeeper:
    """Lets connections in. Make one for each group of listening sockets, and `close` it.

    Args:
        speak: makes what speaks HTTP on one connection.
        security: what is in force now.
    """

    def __init__(
        self,
        connections: Connections,
        *,
        speak: Callable[[Door], web.RequestHandler],
        security: Callable[[], Security],
    ) -> None:
        self.connections = connections
        self.speak = speak
        self.security = security
        self._handshakes: set[asyncio.Task[None]] = set()

    def __call__(self) -> Door:
        """What the event loop connects a new connection to."""
        return Door(self)

    def shake_hands(self, door: Door, plain: asyncio.Transport, context: ssl.SSLContext) -> None:
        """Begin to encrypt a connection."""
        task = asyncio.get_running_loop().create_task(
            door.encrypt(plain, context), name="handshake"
        )
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def close(self) -> None:
        """End all handshakes. What speaks HTTP already is the application's to end."""
        for task in self._handshakes:
            task.cancel()
        await asyncio.gather(*self._handshakes, return_exceptions=True)


class Door(asyncio.Protocol):
    """One connection, for as long as it lasts."""

    def __init__(self, keeper: Doorkeeper) -> None:
        self._keeper = keeper
        self._plain: asyncio.Transport
        self._early = b""
        self._is_lost = False
        self.context: ssl.SSLContext | None = None
        """What it was encrypted with."""
        self.peer_certificate: dict[str, Any] | None = None
        """The client's, when it gave one that was verified."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find a place for it."""
        self._plain = cast("asyncio.Transport", transport)
        if not self._keeper.connections.enter(self):
            self._plain.abort()
            return
        self.context = self._keeper.security().context
        if self.context is None:
            self._enter(self._plain)
        else:
            self._plain.pause_reading()
            self._keeper.shake_hands(self, self._plain, self.context)

    def data_received(self, data: bytes) -> None:
        """Keep what follows the handshake at once."""
        self._early += data

    def connection_lost(self, _: Exception | None) -> None:
        """It ended before it came to HTTP."""
        self.leave()

    def abort(self) -> None:
        """See Connection."""
        self._plain.abort()

    def leave(self) -> None:
        """Give the place free."""
        self._is_lost = True
        self._keeper.connections.leave(self)

    def work(self) -> None:
        """A request has come."""
        self._keeper.connections.work(self)

    def rest(self) -> None:
        """The request is answered."""
        self._keeper.connections.rest(self)

    async def encrypt(self, plain: asyncio.Transport, context: ssl.SSLContext) -> None:
        """Encrypt the connection, and let it in when its client is welcome."""
        loop = asyncio.get_running_loop()
        try:
            encrypted = await loop.start_tls(
                plain,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except OSError as error:
            _LOGGER.debug("A TLS handshake failed: %s", error)
            encrypted = None
        except asyncio.CancelledError:
            self.leave()
            raise
        if encrypted is None or self._is_lost or encrypted.is_closing():
            self.leave()
            return
        self.peer_certificate = encrypted.get_extra_info("peercert") or None
        if self._keeper.security().is_welcome(self.peer_certificate, encrypted=True):
            self._enter(encrypted)
        else:
            encrypted.abort()

    def _enter(self, transport: asyncio.Transport) -> None:
        speaker = self._keeper.speak(self)
        transport.set_protocol(speaker)
        speaker.connection_made(transport)
        if self._early:
            speaker.data_received(self._early)
            self._early = b""
