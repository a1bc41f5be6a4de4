"""The one place where APScheduler runs for real, on the real clock: a handful of ticks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from auditd.polling.ticker import LONGEST_PAUSE, Ticker, TickTrigger

NOW = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(milliseconds=300)


def at_once() -> datetime:
    return datetime.now(UTC)


def a_tick() -> timedelta:
    return TICK


def test_the_first_tick_is_at_once() -> None:
    assert TickTrigger(lambda: None, a_tick).get_next_fire_time(None, NOW) == NOW


@pytest.mark.parametrize(
    ("due", "pause"),
    [
        (timedelta(days=-1), TICK),
        (TICK / 2, TICK),
        (TICK * 3, TICK * 3),
        (timedelta(hours=1), LONGEST_PAUSE),
        (None, LONGEST_PAUSE),
    ],
)
def test_the_next_tick_is_when_something_is_due_but_no_sooner_than_a_tick(
    due: timedelta | None, pause: timedelta
) -> None:
    trigger = TickTrigger(lambda: None if due is None else NOW + due, a_tick)
    assert trigger.get_next_fire_time(NOW, NOW) == NOW + pause


def test_a_month_in_which_nothing_ran_is_one_tick() -> None:
    later = NOW + timedelta(days=30)
    assert TickTrigger(lambda: NOW, a_tick).get_next_fire_time(NOW, later) == later + TICK


async def test_ticks_come_on_the_event_loop_until_closed() -> None:
    loop = asyncio.get_running_loop()
    ticks: list[asyncio.AbstractEventLoop] = []
    third = asyncio.Event()

    def tick() -> None:
        ticks.append(asyncio.get_running_loop())
        if len(ticks) == 3:
            third.set()

    ticker = Ticker(tick, at_once, a_tick)
    ticker.start()
    await asyncio.wait_for(third.wait(), 5)
    ticker.close()
    assert ticks == [loop] * 3


async def test_realigning_ticks_now_although_nothing_was_due() -> None:
    ticked = asyncio.Event()
    ticker = Ticker(ticked.set, lambda: None, a_tick)
    ticker.realign()
    assert ticker._job.pending
    ticker.start()
    await asyncio.wait_for(ticked.wait(), 5)
    ticked.clear()
    ticker.realign()
    await asyncio.wait_for(ticked.wait(), 5)
    ticker.close()
    ticker.realign()
