"""What is heard of a real server: NOTIFY is its own."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest

from auditd.daemon.replica_listener import Listener
from auditd.store.revisions import CHANNEL


class Ear:
    """Counts what is heard."""

    def __init__(self) -> None:
        self.heard = 0
        self._more = asyncio.Event()

    def __call__(self) -> None:
        self.heard += 1
        self._more.set()

    async def reach(self, heard: int) -> None:
        async with asyncio.timeout(8):
            while self.heard < heard:
                self._more.clear()
                await self._more.wait()


class Said(logging.Handler):
    """Lets a test wait for a line of the log."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


@asynccontextmanager
async def listening(url: str, ear: Callable[[], None]) -> AsyncIterator[asyncio.Task[None]]:
    task: asyncio.Task[None] = asyncio.create_task(Listener(url, "ours", ear).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def say(url: str, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement.encode())


def notice(replica: str) -> str:
    return f"NOTIFY {CHANNEL}, 'public 1 {replica}'"


async def test_others_are_heard_and_this_one_is_not(postgres: str) -> None:
    ear = Ear()
    async with listening(postgres, ear):
        await ear.reach(1)  # something may have been missed until now
        await say(postgres, notice("ours"), notice("theirs"), notice("not-ours"))
        await ear.reach(3)
    assert ear.heard == 3


async def test_a_connection_that_is_lost_is_made_again_and_something_may_be_missed(
    postgres: str, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear()
    async with listening(postgres, ear):
        await ear.reach(1)
        await say(
            postgres,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'servicestage-auditd listener'",
        )
        await ear.reach(2)
        await say(postgres, notice("theirs"))
        await ear.reach(3)
    assert "what other replicas change is heard late" in caplog.text


async def test_a_server_that_is_not_there_is_said_without_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Said()
    logger = logging.getLogger("auditd.daemon.replica_listener")
    logger.addHandler(handler)
    ear = Ear()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"postgresql://auditd:hunter2@127.0.0.1:{unused.getsockname()[1]}/postgres"
        try:
            async with listening(url, ear), asyncio.timeout(8):
                await handler.event.wait()
        finally:
            logger.removeHandler(handler)
    assert ear.heard == 0
    assert "refused" in caplog.text
    assert "hunter2" not in caplog.text
