from __future__ import annotations

import asyncio
from typing import Any

import pytest
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.testing import InMemoryConnector

from auditd.engine.intake import Intake


class Process:
    """One that is full or not, and what its worker is told."""

    def __init__(self) -> None:
        self.is_full = False
        self.told: list[str] = []
        connector = InMemoryConnector()
        self.app = App(connector=connector)
        self.intake = Intake(connector, lambda: self.is_full)

    async def tell(self, *, channel: str, notification: Any) -> None:
        self.told.append(notification["type"])

    async def begin(self) -> int:
        """Queue a job, and be the worker of this number."""
        await self.app.configure_task("poll", queue="here").defer_async(jobs=[])
        await self.intake.listen_for_jobs(on_notification=self.tell, queues=["here"])
        return await self.intake.register_worker()


async def test_a_process_with_enough_to_do_takes_nothing_until_that_is_otherwise() -> None:
    process = Process()
    worker = await process.begin()
    process.is_full = True
    assert await process.intake.fetch_job(["here"], worker) is None
    await process.intake.look_again()
    assert process.told == [], "it is still full"
    process.is_full = False
    await process.intake.look_again()
    assert process.told == ["job_inserted"]
    assert await process.intake.fetch_job(["here"], worker)


async def test_who_was_kept_from_nothing_is_told_nothing() -> None:
    process = Process()
    worker = await process.begin()
    await process.intake.fetch_job(["here"], worker)
    await process.intake.look_again()
    assert process.told == []


class AwayConnector(InMemoryConnector):
    """Of a server that is away at first."""

    fails = 3

    async def listen_notify(self, on_notification: Any, channels: Any) -> None:
        if self.fails:
            self.fails -= 1
            raise ConnectorException
        await on_notification(channel="", payload='{"type": "job_inserted", "job_id": 1}')
        await asyncio.Event().wait()


@pytest.mark.looptime
async def test_it_is_listened_again_once_the_server_is_back() -> None:
    told: list[str] = []

    async def tell(*, channel: str, notification: Any) -> None:
        told.append(f"{channel}{notification['type']}")

    intake = Intake(AwayConnector(), lambda: False)
    listening = asyncio.create_task(intake.listen_for_jobs(on_notification=tell, queues=["here"]))
    await asyncio.sleep(10)
    assert told == ["job_inserted"]
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
