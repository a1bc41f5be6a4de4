"""The one place where APScheduler runs for real, on the real clock: a handful of ticks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from auditd.polling.ticker import TICK, Ticker, TickTrigger

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_first_tick_is_at_once_and_the_next_one_tick_later() -> None:
    trigger = TickTrigger()
    assert trigger.get_next_fire_time(None, NOW) == NOW
    assert trigger.get_next_fire_time(NOW, NOW) == NOW + TICK


def test_a_month_in_which_nothing_ran_is_one_tick() -> None:
    later = NOW + timedelta(days=30)
    assert TickTrigger().get_next_fire_time(NOW, later) == later + TICK


async def test_ticks_come_on_the_event_loop_until_closed() -> None:
    loop = asyncio.get_running_loop()
    ticks: list[asyncio.AbstractEventLoop] = []
    third = asyncio.Event()

    def tick() -> None:
        ticks.append(asyncio.get_running_loop())
        if len(ticks) == 3:
            third.set()

    ticker = Ticker(tick)
    ticker.start()
    await asyncio.wait_for(third.wait(), 5)
    ticker.close()
    assert ticks == [loop] * 3


async def test_realigning_ticks_now_although_the_next_tick_was_planned_for_tomorrow() -> None:
    ticked = asyncio.Event()
    ticker = Ticker(ticked.set)
    ticker.start()
    await asyncio.wait_for(ticked.wait(), 5)
    ticker._job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    ticked.clear()
    ticker.realign()
    await asyncio.wait_for(ticked.wait(), 5)
    ticker.close()
