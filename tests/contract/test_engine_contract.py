"""What whoever submits a job may rely on, whichever engine has it done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine, make_url

from auditd.engine.local import LocalEngine
from auditd.engine.port import Engine, Handler, Job
from auditd.engine.queue import QueueEngine, prepare
from tests.postgres import installed_postgres, private_server

AT = datetime(2026, 1, 1, tzinfo=UTC)
Submit: TypeAlias = Callable[[Sequence[Job]], None]


def a_job(key: str = "payments", minute: int = 0) -> Job:
    return Job("poll", key, AT + timedelta(minutes=minute))


@dataclass
class Bench:
    """An engine, and how jobs are given to it."""

    engine: Engine
    submit: Submit
    done: list[Job] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Queue[Job] = field(default_factory=asyncio.Queue)

    async def handle(self, job: Job) -> None:
        self.begun.put_nowait(job)
        await self.release.wait()
        self.done.append(job)

    @asynccontextmanager
    async def running(self, handler: Handler | None = None) -> AsyncIterator[None]:
        task = asyncio.create_task(self.engine.run({"poll": handler or self.handle}))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def next(self) -> Job:
        async with asyncio.timeout(5):
            return await self.begun.get()


@pytest.fixture(params=["local", "queue"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "local":
        local = LocalEngine()
        yield Bench(local, local.submit)
        return
    url: str = request.getfixturevalue("postgres")
    database = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with database.begin() as connection:
        prepare(connection)
        prepare(connection)  # those who start later find it done
    queue = QueueEngine(url, places=8, beat_seconds=1, stall_seconds=3)

    def submit(jobs: Sequence[Job]) -> None:
        with database.begin() as connection:
            queue.submit(jobs, connection)

    yield Bench(queue, submit)
    database.dispose()


async def test_each_job_is_done_as_it_was_given(bench: Bench) -> None:
    jobs = [a_job("payments"), a_job("Zahlungen „höchste Zeit“ ' || %s :x", 1)]
    bench.release.set()
    async with bench.running():
        bench.submit(jobs)
        begun = [await bench.next() for _ in jobs]
    assert sorted(begun, key=lambda job: job.key) == sorted(jobs, key=lambda job: job.key)


async def test_what_waits_is_not_taken_twice(bench: Bench) -> None:
    bench.submit([a_job()])
    bench.submit([a_job(minute=1), a_job("other")])
    bench.release.set()
    async with bench.running():
        begun = {(await bench.next()).key, (await bench.next()).key}
        await asyncio.sleep(0)
    assert begun == {"payments", "other"}
    assert bench.begun.empty()


async def test_what_is_begun_does_not_keep_the_next_from_being_taken(bench: Bench) -> None:
    async with bench.running():
        bench.submit([a_job()])
        assert await bench.next() == a_job()
        bench.submit([a_job(minute=1)])
        assert await bench.next() == a_job(minute=1)
        assert bench.engine.stats().running == 2


async def test_one_that_takes_long_delays_no_other(bench: Bench) -> None:
    async with bench.running():
        bench.submit([a_job("slow")])
        await bench.next()
        bench.submit([a_job("quick")])
        assert (await bench.next()).key == "quick"


async def test_one_that_is_cancelled_ends_no_other(bench: Bench) -> None:
    tasks: dict[str, asyncio.Task[Any]] = {}

    async def handle(job: Job) -> None:
        task = asyncio.current_task()
        assert task
        tasks[job.key] = task
        await bench.handle(job)

    jobs = [a_job(f"p{number}") for number in range(4)]
    async with bench.running(handle):
        bench.submit(jobs)
        begun = [await bench.next() for _ in jobs]
        tasks["p0"].cancel()
        bench.release.set()
        async with asyncio.timeout(5):
            while len(bench.done) < 3:  # noqa: ASYNC110 -- it is told to nobody
                await asyncio.sleep(0.01)
    assert set(begun) == set(jobs)
    assert set(bench.done) == set(jobs[1:])


async def test_whoever_ends_the_engine_ends_its_jobs(bench: Bench) -> None:
    async with bench.running():
        bench.submit([a_job()])
        await bench.next()
    assert bench.engine.stats().running == 0
    assert bench.done == []


async def test_nothing_is_nothing(bench: Bench) -> None:
    bench.submit([])
    bench.submit([a_job()])
    async with bench.running():
        assert await bench.next() == a_job()


async def test_jobs_of_a_transaction_that_is_not_committed_are_none(postgres: str) -> None:
    database = create_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    queue = QueueEngine(postgres, places=8, beat_seconds=1, stall_seconds=3)
    with database.begin() as connection:
        prepare(connection)
    with database.connect() as connection:
        queue.submit([a_job()], connection)
        connection.rollback()
    with database.connect() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM procrastinate_jobs").scalar_one()
    database.dispose()
    assert found == 0
    with pytest.raises(TypeError, match="within a transaction"):
        queue.submit([a_job()])


async def test_a_process_with_enough_to_do_leaves_the_rest_to_others(postgres: str) -> None:
    database = create_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    queue = QueueEngine(postgres, places=2, beat_seconds=1, stall_seconds=3)
    running: list[int] = []

    async def handle(_: Job) -> None:
        running.append(queue.stats().running)
        await asyncio.sleep(0.05)

    with database.begin() as transaction:
        prepare(transaction)
        queue.submit([a_job(f"p{number}") for number in range(32)], transaction)
        jobs = transaction.exec_driver_sql("SELECT count(*) FROM procrastinate_jobs").scalar_one()
    database.dispose()
    task = asyncio.create_task(queue.run({"poll": handle}))
    async with asyncio.timeout(8):
        while len(running) < 32:  # noqa: ASYNC110 -- it is told to nobody
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert jobs == 2, "each of them has sixteen"
    assert max(running) <= 1 + 16


async def test_jobs_of_a_dead_process_are_taken_away(postgres: str) -> None:
    database = create_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    with database.begin() as connection:
        prepare(connection)
    database.dispose()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')"
        )
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, worker_id, args)"
            " SELECT 'servicestage-auditd', 'poll', 'doing', id, '{\"jobs\": [[], []]}'"
            " FROM procrastinate_workers"
        )
        queue = QueueEngine(postgres, places=8, beat_seconds=0.2, stall_seconds=0.6)
        task = asyncio.create_task(queue.run({}))
        async with asyncio.timeout(8):
            while not queue.stats().reaped:  # noqa: ASYNC110 -- it is told to nobody
                await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        left = connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    assert left == (0,)
    assert queue.stats().reaped == 2


async def test_a_job_whose_end_could_not_be_noted_is_not_under_way_for_ever(postgres: str) -> None:
    database = create_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    queue = QueueEngine(postgres, places=8, beat_seconds=0.2, stall_seconds=0.6)
    done = asyncio.Event()

    async def handle(_: Job) -> None:
        done.set()

    with database.begin() as transaction:
        prepare(transaction)
        queue.submit([a_job()], transaction)
    database.dispose()
    rename = "ALTER FUNCTION procrastinate_finish_job_v1 RENAME TO away"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(rename)
        task = asyncio.create_task(queue.run({"poll": handle}))
        async with asyncio.timeout(8):
            await done.wait()
            while connection.execute("SELECT id FROM procrastinate_jobs").fetchone():  # noqa: ASYNC110 -- it is told to nobody
                await asyncio.sleep(0.05)
        assert queue.stats().restarts == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.timeout(60)
async def test_a_server_that_went_away_is_worked_with_again_soon_after_its_return() -> None:
    binaries = installed_postgres()
    assert binaries
    with private_server(binaries) as server:
        database = create_engine(
            make_url(server.url).set(drivername="postgresql+psycopg"), poolclass=NullPool
        )
        queue = QueueEngine(server.url, places=8, beat_seconds=1, stall_seconds=3)
        bench = Bench(queue, lambda _: None)
        bench.release.set()
        with database.begin() as connection:
            prepare(connection)
            queue.submit([a_job()], connection)
        async with bench.running():
            await bench.next()
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            with database.begin() as connection:
                queue.submit([a_job(minute=1)], connection)
            async with asyncio.timeout(10):
                assert await bench.begun.get() == a_job(minute=1)
