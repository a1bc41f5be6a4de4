"""Whatever the order of calls, a credential is not worn out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import looptime
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditd.servicestage.credentials import aksk
from tests.unit.servicestage.fake_huawei import (
    FakeHuawei,
    FakeSecret,
    make_cloud,
    make_project,
    poll,
)

Call = tuple[float, int, float]
"""When it comes, for which project, how long its answer takes; in seconds."""

CALLS = st.lists(
    st.tuples(st.floats(0, 1200), st.integers(1, 8), st.floats(0.01, 25)), min_size=1, max_size=80
)


def sent_at(calls: Sequence[Call]) -> list[float]:
    """When something was sent with a key that is always refused."""
    huawei = FakeHuawei()
    options = aksk.AkSkOptions(access_key=FakeSecret("AK"), secret_key=FakeSecret("SK"))
    cloud = make_cloud(huawei, aksk.PLUGIN, options)

    async def call(after: float, number: int, latency_seconds: float) -> None:
        await asyncio.sleep(after)
        huawei.latency_seconds = latency_seconds
        assert await poll(cloud, make_project(number)) == "auth"

    async def run() -> None:
        await asyncio.gather(*(call(*one) for one in calls))

    loop = looptime.new_event_loop()
    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return [at for at, _ in huawei.sent]


BETWEEN_TICKS = [(0.29985500951909183, 8, 3.192548566293281), (0.5, 4, 0.01)]
"""The second may follow after a second, at an instant that the loop's clock does not know."""


@settings(max_examples=60, deadline=None)
@example(BETWEEN_TICKS)
@given(CALLS)
def test_a_wrong_key_is_never_sent_often_enough_to_be_locked(calls: list[Call]) -> None:
    at = sent_at(calls)

    assert max(sum(start <= t < start + 300 for t in at) for start in at) <= 3
