from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime

from auditd.engine.local import AT_ONCE, LocalEngine
from auditd.engine.port import Job

AT = datetime(2026, 1, 1, tzinfo=UTC)


async def test_many_jobs_that_come_together_leave_the_event_loop_its_turns() -> None:
    engine, turn, begun = LocalEngine(), 0, Counter[int]()
    over = asyncio.Event()

    async def begin(job: Job) -> None:
        begun[turn] += 1
        if job.key == "999":
            over.set()

    engine.submit([Job("poll", f"{number}", AT) for number in range(1000)])
    running = asyncio.create_task(engine.run({"poll": begin}))
    while not over.is_set():
        await asyncio.sleep(0)
        turn += 1
    running.cancel()

    assert begun.total() == 1000
    assert max(begun.values()) <= AT_ONCE
