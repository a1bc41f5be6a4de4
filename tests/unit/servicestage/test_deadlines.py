from __future__ import annotations

import asyncio

import pytest

from auditd.servicestage.deadlines import Deadlines

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_each_of_many_blocks_ends_at_its_own_instant() -> None:
    deadlines, ended = Deadlines(), dict[int, float]()

    async def block(seconds: int) -> None:
        try:
            with deadlines.until(now() + seconds):
                await asyncio.sleep(1000)
        except TimeoutError:
            ended[seconds] = now()

    await asyncio.gather(*(block(seconds) for seconds in (5, 3, 9, 3, 7)))

    assert ended == {seconds: pytest.approx(seconds) for seconds in (3, 5, 7, 9)}


async def test_what_ends_in_time_is_left_alone() -> None:
    deadlines = Deadlines()
    with deadlines.until(now() + 5):
        await asyncio.sleep(4)
    await asyncio.sleep(10)

    # The timer of the first was of no use to this one.
    with pytest.raises(TimeoutError), deadlines.until(now() + 5):
        await asyncio.sleep(1000)
    assert now() == pytest.approx(19)


async def test_an_instant_that_has_passed_ends_the_block_at_its_first_wait() -> None:
    with pytest.raises(TimeoutError), Deadlines().until(now() - 1):
        await asyncio.sleep(1000)
    assert now() == pytest.approx(0)


async def test_there_may_be_no_deadline() -> None:
    with Deadlines().until(float("inf")):
        await asyncio.sleep(1_000_000)


async def test_whoever_cancels_a_task_gets_it_cancelled() -> None:
    deadlines = Deadlines()

    async def block() -> None:
        with deadlines.until(now() + 5):
            await asyncio.sleep(1000)

    task = asyncio.create_task(block())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_that_comes_with_the_deadline_is_not_swallowed() -> None:
    async def block() -> None:
        with Deadlines().until(now() + 5):
            await asyncio.sleep(1000)

    task = asyncio.create_task(block())
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_at(5, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_what_a_block_raises_itself_stays_what_it_is() -> None:
    with pytest.raises(ValueError, match="of its own"), Deadlines().until(now() + 5):
        int("of its own")
