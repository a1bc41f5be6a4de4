from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count, pairwise

from auditd.web.turns import Turns


class Passes:
    """Counts the passes of the event loop."""

    def __init__(self) -> None:
        self.number = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def again() -> None:
            self.number += 1
            self._handle = loop.call_soon(again)

        self._handle = loop.call_soon(again)
        try:
            yield
        finally:
            self._handle.cancel()


async def work(
    turns: Turns, name: str, pieces: int, done: list[tuple[int, str]], at: Passes
) -> None:
    with turns.member():
        for _ in range(pieces):
            await turns.take()
            done.append((at.number, name))


async def test_in_a_pass_only_one_works_then_others_and_all_have_their_turn() -> None:
    turns, passes, done = Turns(), Passes(), list[tuple[int, str]]()
    with passes.counted():
        async with asyncio.TaskGroup() as group:
            for name in "abcd":
                group.create_task(work(turns, name, 25, done, passes))
    numbers = [number for number, _ in done]
    assert len(set(numbers)) == len(numbers) == 100
    # While several work, that is but for the last of each.
    assert all(after - before > 3 for before, after in pairwise(numbers[1:-4]))
    for start in range(0, 100, 4):
        assert {name for _, name in done[start : start + 4]} == set("abcd")
    assert numbers[-1] - numbers[0] < 400  # four passes a turn


async def test_who_is_alone_works_in_every_pass() -> None:
    turns, passes, done = Turns(), Passes(), list[tuple[int, str]]()
    with passes.counted():
        await work(turns, "a", 50, done, passes)
    numbers = [number for number, _ in done]
    assert numbers == list(range(numbers[0], numbers[0] + 50))


async def test_who_gives_up_takes_nobodys_turn() -> None:
    turns, passes, done = Turns(), Passes(), list[tuple[int, str]]()
    with passes.counted():
        leaving = [asyncio.create_task(work(turns, "x", 1000, [], passes)) for _ in range(5)]
        staying = asyncio.create_task(work(turns, "a", 50, done, passes))
        for task, _ in zip(leaving, count(), strict=False):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.wait_for(staying, 1)
        for task in leaving:
            with suppress(asyncio.CancelledError):
                await task
    assert len(done) == 50
    assert done[-1][0] - done[-21][0] == 20
