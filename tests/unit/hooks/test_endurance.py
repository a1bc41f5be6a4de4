from __future__ import annotations

import asyncio

import pytest

from auditd.hooks.endurance import GRACE_SECONDS, see_through

pytestmark = pytest.mark.looptime


async def _cancelled_after_a_second(seconds: float, ended: list[str]) -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(seconds)
            ended.append("finished")
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    caller = asyncio.create_task(see_through(work(), name="work"))
    await asyncio.sleep(1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


@pytest.mark.parametrize(
    ("seconds", "how", "ended_at"),
    [(3.0, "finished", 3.0), (1 + GRACE_SECONDS + 1, "cancelled", 1 + GRACE_SECONDS)],
)
async def test_work_has_a_grace_period_when_its_caller_is_cancelled(
    seconds: float, how: str, ended_at: float
) -> None:
    ended: list[str] = []
    await _cancelled_after_a_second(seconds, ended)
    assert ended == [how]
    assert asyncio.get_running_loop().time() == ended_at


async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        await asyncio.sleep(1)
        msg = "no space"
        raise OSError(msg)

    with pytest.raises(OSError, match="no space"):
        await see_through(work(), name="work")


async def test_an_error_after_the_cancellation_is_not_left_lying_about() -> None:
    async def work() -> None:
        await asyncio.sleep(2)
        raise OSError

    caller = asyncio.create_task(see_through(work(), name="work"))
    await asyncio.sleep(1)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
