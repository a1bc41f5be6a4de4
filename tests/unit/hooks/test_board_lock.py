from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest

from auditd.hooks.board_lock import BoardLock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Scene:
    """Who came in, in order; each stays for a second."""

    def __init__(self) -> None:
        self.lock = BoardLock()
        self.entered: list[tuple[str, float]] = []

    async def stay(self, name: str, way: AbstractAsyncContextManager[None]) -> None:
        async with way:
            self.entered.append((name, asyncio.get_running_loop().time()))
            await asyncio.sleep(1)

    @asynccontextmanager
    async def poll(self, project: str, *keys: str) -> AsyncIterator[None]:
        async with self.lock.project(project):
            while not await self.lock.flushed(keys):
                pass
            with self.lock.touching(keys):
                yield

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self.lock:
            yield


async def test_what_does_not_touch_goes_on_side_by_side() -> None:
    scene = Scene()
    await asyncio.gather(
        scene.stay("p", scene.poll("p", "g")),
        scene.stay("q", scene.poll("q", "g")),
        scene.stay("h", scene.lock.flushing("h")),
    )
    assert {at for _, at in scene.entered} == {0.0}


async def test_a_project_is_polled_by_one_at_a_time() -> None:
    scene = Scene()
    await asyncio.gather(*(scene.stay("p", scene.poll("p")) for _ in range(3)))
    assert [at for _, at in scene.entered] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("first", ["poll", "flush"])
async def test_a_group_is_not_flushed_while_a_poll_touches_it(first: str) -> None:
    scene = Scene()
    ways = {"poll": scene.poll("p", "g"), "flush": scene.lock.flushing("g")}
    second = next(iter(ways.keys() - {first}))
    await asyncio.gather(scene.stay(first, ways[first]), scene.stay(second, ways[second]))
    assert scene.entered == [(first, 0.0), (second, 1.0)]


async def test_who_wants_to_be_alone_comes_before_those_who_ask_later() -> None:
    scene = Scene()
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.stay("p", scene.poll("p", "g")))
        await asyncio.sleep(0.5)
        group.create_task(scene.stay("alone", scene.alone()))
        await asyncio.sleep(0.1)
        group.create_task(scene.stay("q", scene.poll("q")))
        group.create_task(scene.stay("h", scene.lock.flushing("h")))
    assert scene.entered == [("p", 0.0), ("alone", 1.0), ("q", 2.0), ("h", 2.0)]


async def test_who_is_cancelled_while_waiting_leaves_nothing_locked() -> None:
    scene = Scene()
    async with AsyncExitStack() as holds:
        await holds.enter_async_context(scene.poll("p", "g"))
        waiting = [
            asyncio.create_task(scene.stay("alone", scene.alone())),
            asyncio.create_task(scene.stay("p", scene.poll("p"))),
            asyncio.create_task(scene.stay("g", scene.lock.flushing("g"))),
        ]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    await asyncio.gather(
        scene.stay("p", scene.poll("p", "g")), scene.stay("h", scene.lock.flushing("h"))
    )
    assert [name for name, _ in scene.entered] == ["p", "h"]
    await scene.stay("alone", scene.alone())
