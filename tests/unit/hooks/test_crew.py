from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from auditd.hooks.crew import Crew
from auditd.hooks.endurance import GRACE_SECONDS

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Works:
    """What began and ended, in order."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []

    async def work(self, name: str, seconds: float) -> None:
        self.began.append(name)
        await asyncio.sleep(seconds)
        self.ended.append(name)


def _time() -> float:
    return asyncio.get_running_loop().time()


async def test_only_so_many_go_on_at_once_and_all_are_waited_for() -> None:
    works = Works()
    async with Crew(2) as crew:
        for name in ("a", "b", "c"):
            await crew.place()
            crew.begin(works.work(name, 1.0), name=name)
        assert _time() == 1.0
        assert works.ended == ["a", "b"]
    assert works.ended == ["a", "b", "c"]
    assert _time() == 2.0


@pytest.mark.parametrize(("seconds", "ended"), [(3.0, ["a"]), (100.0, [])])
async def test_whoever_is_stopped_gives_what_is_under_way_a_few_seconds(
    seconds: float, ended: list[str]
) -> None:
    works = Works()

    async def serve() -> None:
        async with Crew(1) as crew:
            await crew.place()
            crew.begin(works.work("a", seconds), name="a")
            await crew.place()

    serving = asyncio.create_task(serve())
    await asyncio.sleep(1.0)
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
    assert works.began == ["a"]
    assert works.ended == ended
    assert _time() == min(seconds, 1.0 + GRACE_SECONDS)
    assert asyncio.all_tasks() == {asyncio.current_task()}
