from __future__ import annotations

import asyncio

import pytest

from auditd.audit.events import Event, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.polling.agenda import Slot
from auditd.polling.polls import Polls
from tests.unit.polling.fakes import START, make_project


async def test_a_project_never_has_two_polls_and_the_skip_is_told(events: list[Event]) -> None:
    release = asyncio.Event()
    polled: list[str] = []

    async def poll(slot: Slot) -> None:
        polled.append(slot.project.name)
        await release.wait()

    async with Polls(poll, events.append) as polls:
        for name in ("a", "b", "a"):
            polls.submit(Slot(make_project(name), START))
        await asyncio.sleep(0)
        assert polled == ["a", "b"]
        assert events == [PollSkipped("a", SkipReason.OVERLAP, 1)]
        release.set()


async def test_a_project_can_be_polled_again_when_its_poll_has_ended(events: list[Event]) -> None:
    polled: list[str] = []

    async def poll(slot: Slot) -> None:
        polled.append(slot.project.name)

    async with Polls(poll, events.append) as polls:
        for _ in range(3):
            polls.submit(Slot(make_project("a"), START))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert polled == ["a", "a", "a"]
    assert events == []


async def test_leaving_by_an_error_cancels_and_awaits_what_is_under_way(
    events: list[Event],
) -> None:
    ended: list[str] = []

    async def poll(slot: Slot) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(slot.project.name)

    async def run() -> None:
        async with Polls(poll, events.append) as polls:
            polls.submit(Slot(make_project("a"), START))
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["a"]


async def test_a_poll_of_a_departed_project_ends_and_its_name_is_free_at_once(
    events: list[Event],
) -> None:
    started: list[str] = []
    release = asyncio.Event()

    async def poll(slot: Slot) -> None:
        started.append(slot.project.project_id)
        await release.wait()

    async with Polls(poll, events.append) as polls:
        polls.submit(Slot(make_project("a", project_id="old"), START))
        await asyncio.sleep(0)
        polls.cancel("a")
        polls.cancel("unknown")
        polls.submit(Slot(make_project("a", project_id="new"), START))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        polls.submit(Slot(make_project("a", project_id="new"), START))
        assert started == ["old", "new"]
        assert events == [PollSkipped("a", SkipReason.OVERLAP, 1)]
        release.set()
