from __future__ import annotations

import asyncio

import pytest

from auditd.audit.events import Event, PollSkipped
from auditd.audit.failure import SkipReason
from auditd.polling.agenda import Slot
from auditd.polling.polls import ASKED_AT_ONCE, MOST_ASKED, PollRefusedError, Polls
from tests.unit.polling.fakes import START, make_project


def nothing() -> None:
    """Nobody wants to know."""


def start(polls: Polls, slot: Slot) -> asyncio.Task[None]:
    """As an engine does it."""
    return asyncio.create_task(polls.perform(slot))


async def test_a_project_never_has_two_polls_and_the_skip_is_told(events: list[Event]) -> None:
    release = asyncio.Event()
    polled: list[str] = []

    async def poll(slot: Slot) -> None:
        polled.append(slot.project.name)
        await release.wait()

    async with Polls(poll, events.append, on_polled=nothing) as polls:
        for name in ("a", "b", "a"):
            start(polls, Slot(make_project(name), START))
        await asyncio.sleep(0)
        assert polled == ["a", "b"]
        assert events == [PollSkipped("a", SkipReason.OVERLAP, 1)]
        release.set()


async def test_a_project_can_be_polled_again_when_its_poll_has_ended(events: list[Event]) -> None:
    polled: list[str] = []

    async def poll(slot: Slot) -> None:
        polled.append(slot.project.name)

    async with Polls(poll, events.append, on_polled=nothing) as polls:
        for _ in range(3):
            start(polls, Slot(make_project("a"), START))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert polled == ["a", "a", "a"]
    assert events == []


async def test_leaving_by_an_error_cancels_and_awaits_what_was_asked_for(
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
        async with Polls(poll, events.append, on_polled=nothing) as polls:
            await polls.poll_now(Slot(make_project("a"), START))

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

    async with Polls(poll, events.append, on_polled=nothing) as polls:
        start(polls, Slot(make_project("a", project_id="old"), START))
        await asyncio.sleep(0)
        polls.cancel("a")
        polls.cancel("unknown")
        start(polls, Slot(make_project("a", project_id="new"), START))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await start(polls, Slot(make_project("a", project_id="new"), START))
        assert started == ["old", "new"]
        assert events == [PollSkipped("a", SkipReason.OVERLAP, 1)]
        release.set()


class Asked:
    """Polls that hang until they are let go."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.polled: list[str] = []
        self.polls = Polls(self.poll, lambda _: None, on_polled=nothing)

    async def poll(self, slot: Slot) -> None:
        self.polled.append(slot.project.name)
        await self.release.wait()

    def ask(self, name: str) -> asyncio.Task[None]:
        return asyncio.create_task(self.polls.poll_now(Slot(make_project(name), START)))


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_whoever_asks_at_once_shares_one_poll() -> None:
    asked = Asked()
    async with asked.polls:
        start(asked.polls, Slot(make_project("a"), START))
        waiting = [asked.ask(name) for name in ("a", "b", "b")]
        await _settle()
        assert asked.polled == ["a", "b"]
        assert not any(task.done() for task in waiting)
        asked.release.set()
        await asyncio.gather(*waiting)
    assert asked.polled == ["a", "b"]


async def test_a_slot_that_comes_while_its_poll_was_asked_for_is_told_as_overlap(
    events: list[Event],
) -> None:
    asked = Asked()
    asked.polls = Polls(asked.poll, events.append, on_polled=nothing)
    async with asked.polls:
        task = asked.ask("a")
        await _settle()
        await start(asked.polls, Slot(make_project("a"), START))
        assert events == [PollSkipped("a", SkipReason.OVERLAP, 1)]
        asked.release.set()
        await task


async def test_a_caller_who_gives_up_leaves_the_poll_going() -> None:
    asked = Asked()
    async with asked.polls:
        impatient, patient = asked.ask("a"), asked.ask("a")
        await _settle()
        impatient.cancel()
        await _settle()
        assert impatient.cancelled()
        assert not patient.done()
        asked.release.set()
        await patient
    assert asked.polled == ["a"]


async def test_polls_that_are_asked_for_leave_room_for_slots() -> None:
    asked = Asked()
    async with asked.polls:
        waiting = [asked.ask(f"p{number}") for number in range(MOST_ASKED)]
        await _settle()
        assert len(asked.polled) == ASKED_AT_ONCE
        with pytest.raises(PollRefusedError):
            await asked.polls.poll_now(Slot(make_project("one more"), START))
        start(asked.polls, Slot(make_project("p60"), START))  # its slot does not wait
        await _settle()
        assert asked.polled[ASKED_AT_ONCE:] == ["p60"]
        asked.release.set()
        await asyncio.gather(*waiting)
    assert set(asked.polled) == {f"p{number}" for number in range(MOST_ASKED)}


async def test_nothing_is_polled_before_and_after() -> None:
    asked = Asked()
    slot = Slot(make_project("a"), START)
    with pytest.raises(PollRefusedError):
        await asked.polls.poll_now(slot)
    async with asked.polls:
        pass
    with pytest.raises(PollRefusedError):
        await asked.polls.poll_now(slot)


async def test_the_departure_of_a_project_ends_the_wait_for_it() -> None:
    asked = Asked()
    async with asked.polls:
        started = [asked.ask(f"p{number}") for number in range(ASKED_AT_ONCE)]
        waiting = asked.ask("late")
        await _settle()
        for name in ("late", "p0"):
            asked.polls.cancel(name)
        await asyncio.gather(waiting, started[0])
        asked.release.set()
        await asyncio.gather(*started)
    assert "late" not in asked.polled
