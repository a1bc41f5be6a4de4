from __future__ import annotations

import asyncio
from random import Random

import pytest

from auditd.servicestage.places import Places

pytestmark = pytest.mark.looptime


class Crowd:
    """Workers who each take a place for a second."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.inside = 0

    async def place(self) -> None:
        came = asyncio.get_running_loop().create_future()
        self.places.ask(lambda: self.places.release() if came.done() else came.set_result(None))
        await came

    async def work(self) -> None:
        await self.place()
        self.inside += 1
        try:
            await asyncio.sleep(1)
        finally:
            self.inside -= 1
            self.places.release()


@pytest.mark.parametrize(("before", "after"), [(8, 2), (2, 8), (3, 3), (5, 1)])
async def test_another_number_counts_as_soon_as_those_inside_have_left(
    before: int, after: int
) -> None:
    crowd = Crowd(Places(before))
    async with asyncio.TaskGroup() as group:
        for _ in range(60):
            group.create_task(crowd.work())
        await asyncio.sleep(0.5)
        assert crowd.inside == before
        crowd.places.resize(after)
        await asyncio.sleep(0.1)
        assert crowd.inside == max(before, after)
        await asyncio.sleep(1)
        assert crowd.inside == after


async def test_a_number_that_shrank_while_nobody_was_inside_counts_at_once() -> None:
    crowd = Crowd(Places(32))
    crowd.places.resize(1)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(crowd.work())
        await asyncio.sleep(0.5)
        assert crowd.inside == 1


@pytest.mark.parametrize("seed", range(10))
async def test_whatever_happens_no_place_is_lost_or_made(seed: int) -> None:
    chance = Random(seed)
    crowd = Crowd(Places(4))
    tasks = [asyncio.create_task(crowd.work()) for _ in range(200)]
    capacity = 4
    for _ in range(60):
        await asyncio.sleep(chance.random())
        if chance.random() < 0.5:
            tasks.pop().cancel()
        capacity = chance.randint(1, 9)
        crowd.places.resize(capacity)
    await asyncio.gather(*tasks, return_exceptions=True)
    again = [asyncio.create_task(crowd.work()) for _ in range(20)]
    await asyncio.sleep(0.5)
    assert crowd.inside == capacity
    await asyncio.gather(*again)
