from __future__ import annotations

import asyncio
import logging
from collections import Counter

import pytest

from auditd.store.errors import StoreFault, StoreWriteError
from auditd.store.keeper import keep


class FakeStore:
    """Counts its chores; each raises what is in `errors`, if anything."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.error: Exception | None = None

    async def save(self) -> None:
        self._do("save")

    async def prune(self) -> None:
        self._do("prune")

    async def back_up_if_due(self) -> None:
        self._do("backup")

    def _do(self, chore: str) -> None:
        self.done[chore] += 1
        if self.error:
            raise self.error


async def _kept(store: FakeStore, seconds: float) -> None:
    task = asyncio.create_task(keep(store))
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.looptime
async def test_times_are_saved_every_five_seconds_and_all_else_every_five_minutes() -> None:
    store = FakeStore()
    await _kept(store, 3601)
    assert store.done == {"save": 720, "prune": 12, "backup": 12}


@pytest.mark.looptime
async def test_it_wakes_when_others_do_who_wake_by_themselves() -> None:
    await asyncio.sleep(3.25)
    store = FakeStore()
    await _kept(store, 1.5)
    assert not store.done
    await _kept(store, 0.5)
    assert store.done["save"] == 1


@pytest.mark.looptime
@pytest.mark.parametrize(
    "error", [StoreWriteError(StoreFault.FULL, "/state.db"), ZeroDivisionError()]
)
async def test_a_chore_that_fails_is_logged_and_done_again(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    store = FakeStore()
    store.error = error
    with caplog.at_level(logging.WARNING):
        await _kept(store, 11)
    assert store.done == {"save": 2}
    assert len(caplog.records) == 2
