"""A local server that answers whatever bytes a test wants, and a transport to ask it with."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeAlias

import pytest

from auditd.servicestage.transport import Transport, TransportOptions

Conversation: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Behaviour: TypeAlias = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
"""Given the head of a request, writes an answer; afterwards the connection is closed."""

_HEAD_BYTES = 1024 * 1024


class Listen(Protocol):
    async def __call__(
        self, conversation: Conversation, *, tls: ssl.SSLContext | None = None
    ) -> int:
        """The port of 127.0.0.1 at which `conversation` is held until the test ends."""


class Serve(Protocol):
    async def __call__(self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> int:
        """The port of 127.0.0.1 at which `behaviour` answers until the test ends."""


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    connections: set[asyncio.Task[None]] = set()
    servers: list[asyncio.Server] = []

    async def start(conversation: Conversation, *, tls: ssl.SSLContext | None = None) -> int:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if task := asyncio.current_task():
                connections.add(task)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                try:
                    await conversation(reader, writer)
                    await writer.drain()
                finally:
                    writer.close()
                    await writer.wait_closed()

        servers.append(
            await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls, limit=_HEAD_BYTES)
        )
        port: int = servers[-1].sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)


@pytest.fixture
def serve(listen: Listen) -> Serve:
    async def start(behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> int:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await behaviour(await reader.readuntil(b"\r\n\r\n"), writer)

        return await listen(answer, tls=tls)

    return start


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport(TransportOptions()) as opened:
        yield opened
