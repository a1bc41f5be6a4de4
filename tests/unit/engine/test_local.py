from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest

from auditd.engine.local import AT_LEAST, AT_MOST, LocalEngine
from auditd.engine.port import Job

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("jobs", "at_once"), [(100, AT_LEAST), (1000, AT_MOST)])
async def test_jobs_that_come_together_leave_the_event_loop_its_turns(
    jobs: int, at_once: int
) -> None:
    engine, turn, begun = LocalEngine(), 0, Counter[int]()
    over = asyncio.Event()

    async def begin(job: Job) -> None:
        begun[turn] += 1
        if job.key == f"{jobs - 1}":
            over.set()

    engine.submit([Job("poll", f"{number}", AT) for number in range(jobs)])
    running = asyncio.create_task(engine.run({"poll": begin}))
    while not over.is_set():
        await asyncio.sleep(0)
        turn += 1
    running.cancel()

    assert begun.total() == jobs
    assert max(begun.values()) == at_once
