from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from auditd.polling.clock import ClockWatch, Stopwatch
from tests.unit.polling.fakes import WallClock

pytestmark = pytest.mark.looptime


async def test_time_that_passes_normally_is_no_step(clock: WallClock) -> None:
    stopwatch = Stopwatch(clock, clock.monotonic)
    await asyncio.sleep(3600)
    assert stopwatch.look().seconds == 3600
    assert stopwatch.look().step_seconds == 0


@pytest.mark.parametrize("step", [3600.0, -3600.0, 1.0, -1.0])
async def test_a_stepped_clock_is_noticed_within_a_second(clock: WallClock, step: float) -> None:
    steps: list[float] = []
    stepped = asyncio.Event()

    def on_step(seconds: float) -> None:
        steps.append(seconds)
        stepped.set()

    watch = ClockWatch(Stopwatch(clock, clock.monotonic), on_lag=lambda _: None, on_step=on_step)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(10)
    assert steps == []
    clock.step += timedelta(seconds=step)
    await asyncio.wait_for(stepped.wait(), 1.01)
    assert steps == [pytest.approx(step)]
    task.cancel()


async def test_half_a_second_is_slewing_and_no_step(clock: WallClock) -> None:
    stopwatch = Stopwatch(clock, clock.monotonic)
    clock.step += timedelta(seconds=0.999)
    assert stopwatch.look().step_seconds == 0


async def test_it_looks_at_full_seconds_and_that_is_no_lag() -> None:
    await asyncio.sleep(0.25)
    loop, now = asyncio.get_running_loop(), WallClock()
    looked_at: list[float] = []
    lags: list[float] = []

    def on_lag(seconds: float) -> None:
        looked_at.append(loop.time())
        lags.append(seconds)

    watch = ClockWatch(Stopwatch(now, now.monotonic), on_lag=on_lag, on_step=lambda _: None)
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(3)
    assert looked_at == [1, 2, 3]
    assert lags == [0, 0, 0]
    task.cancel()


async def test_lag_is_what_a_second_took_too_long() -> None:
    times = iter([0.0, 0.0, 1.0, 3.5])
    now = WallClock()
    lags: list[float] = []
    measured = asyncio.Event()

    def on_lag(seconds: float) -> None:
        lags.append(seconds)
        if len(lags) == 2:
            measured.set()

    watch = ClockWatch(Stopwatch(now, lambda: next(times)), on_lag=on_lag, on_step=lambda _: None)
    task = asyncio.create_task(watch.run())
    await measured.wait()
    assert lags == [0.0, pytest.approx(1.5)]
    task.cancel()
