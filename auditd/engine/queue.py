"""An engine that replicas share: a queue of procrastinate's in their PostgreSQL.

The queue only wakes work. That nothing is done twice, or lost, is for the transactions of the
store: every queue lets a process that stood still finish what another has done again meanwhile.

Source: https://procrastinate.readthedocs.io/; its sql/schema.sql, release 3.10
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import Connection, text

from auditd.engine.bundle import QUEUE, enqueue, size_of, unbundled
from auditd.engine.intake import BACK_OFF_SECONDS, Intake, heed_cancellation
from auditd.engine.port import EngineStats, Handler, Job

_CONNECTIONS = 4
"""For fetching and ending jobs; one more listens."""
_FETCH_SECONDS = 1.0
"""procrastinate can miss a notification that comes while it fetches."""
_NEVER_SECONDS = 1e6
"""We abort no jobs; and a worker would wait for ever for the task that asks for those, if that
is cancelled while its connection breaks."""
_CONNECT: Mapping[str, Any] = {
    "application_name": "servicestage-auditd engine",
    "connect_timeout": 5,
    # A network that swallows everything is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "options": "-c statement_timeout=30s -c idle_in_transaction_session_timeout=5s",
}
_IS_THERE = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
_TAKE_AWAY = "DELETE FROM procrastinate_jobs WHERE id = ANY(%s) AND status = 'doing'"
_REAP_ALONE = "SELECT pg_try_advisory_xact_lock(1635083371, hashtext(current_schema()))"

_log = logging.getLogger(__name__)


def prepare(connection: Connection) -> None:
    """Make the tables of the queue, unless they are there, in the caller's transaction."""
    if not connection.execute(_IS_THERE).scalar_one():
        connection.connection.cursor().execute(SchemaManager.get_schema())


class QueueEngine:
    """See Engine. A job waits in the database until a replica has a place for it.

    A server that goes away ends nothing: the engine works again within two seconds of its return.

    Args:
        url: of the database, for libpq.
        places: no job is taken while so many are under way in this process.
        beat_seconds: how often this process says that it lives.
        stall_seconds: after how long a process that does not say so counts as dead.
    """

    def __init__(self, url: str, *, places: int, beat_seconds: float, stall_seconds: float) -> None:
        self._url = url
        self._places = places
        self._beat_seconds = beat_seconds
        self._stall_seconds = stall_seconds
        self._running = 0
        self._restarts = 0
        self._reaped = 0
        # What it says of each job and outage has their arguments in it, and we say it ourselves.
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

    def submit(self, jobs: Iterable[Job], transaction: object | None = None) -> None:
        """See Engine. Blocks; `transaction` is required."""
        if not isinstance(transaction, Connection):
            msg = "a queue in a database takes jobs within a transaction only"
            raise TypeError(msg)
        enqueue(transaction, jobs)

    async def run(self, handlers: Mapping[str, Handler]) -> NoReturn:
        """See Engine."""
        while True:
            try:
                # A pool waits longer and longer between its tries.
                await (await psycopg.AsyncConnection.connect(self._url, **_CONNECT)).close()
                await self._work(handlers)
            except (ConnectorException, psycopg.Error, PoolTimeout, OSError) as error:
                _log.warning("the queue of jobs is not reachable: %s", _said(error))
            except Exception:  # noqa: BLE001 -- the loop must survive; logged
                _log.exception("the queue of jobs failed inside this program")
            heed_cancellation()
            self._restarts += 1
            await asyncio.sleep(BACK_OFF_SECONDS)

    def stats(self) -> EngineStats:
        """See Engine."""
        return EngineStats(self._running, self._restarts, self._reaped)

    async def _work(self, handlers: Mapping[str, Handler]) -> None:
        """Returns or raises when the queue cannot go on."""
        connector = PsycopgConnector(
            conninfo=self._url,
            pool_factory=_pool,
            kwargs={**_CONNECT},
            configure=_have_statements_alone,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=5.0,
            reconnect_timeout=5.0,
        )
        app = App(connector=connector)
        app.job_manager = intake = Intake(connector, self._is_full)
        for kind, handler in handlers.items():
            app.task(name=kind)(self._task(intake, kind, handler))
        async with app.open_async():
            reaper = asyncio.create_task(self._reap(intake, connector), name="reaper of jobs")
            try:
                await app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=self._places,
                    fetch_job_polling_interval=_FETCH_SECONDS,
                    abort_job_polling_interval=_NEVER_SECONDS,
                    shutdown_graceful_timeout=0.0,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=self._beat_seconds,
                    stalled_worker_timeout=self._stall_seconds,
                )
            finally:
                await _end(reaper)

    def _is_full(self) -> bool:
        return self._running >= self._places

    def _task(self, intake: Intake, kind: str, handler: Handler) -> Any:
        async def do(jobs: Sequence[Sequence[str]]) -> None:
            async with asyncio.TaskGroup() as group:
                for job in unbundled(kind, jobs):
                    name = f"{kind} of {job.key}"
                    group.create_task(self._do(intake, handler, job), name=name)

        return do

    async def _do(self, intake: Intake, handler: Handler, job: Job) -> None:
        self._running += 1
        try:
            await handler(job)
        finally:
            self._running -= 1
            await intake.look_again()

    async def _reap(self, intake: Intake, connector: PsycopgConnector) -> NoReturn:
        """Take away what dead processes were doing: procrastinate would have it done for ever.

        It is not part of the queue, whose own periodic tasks would stall with it.
        """
        while True:
            await asyncio.sleep(self._stall_seconds / 6)  # so it is noticed well before 40 s
            with suppress(ConnectorException, psycopg.Error, PoolTimeout):  # the worker says so
                await self._reap_once(intake, connector)

    async def _reap_once(self, intake: Intake, connector: PsycopgConnector) -> None:
        async with connector.pool.connection() as connection, connection.transaction():
            if unended := intake.unended:
                await connection.execute(_TAKE_AWAY, (unended,))
                intake.unended = []
            ours = await (await connection.execute(_REAP_ALONE)).fetchone()
            if not ours or not ours[0]:
                return
            stalled = await intake.get_stalled_jobs(
                queue=QUEUE, seconds_since_heartbeat=self._stall_seconds
            )
            for job in stalled:
                # Not queued again: its slot has passed, and the next one is polled anyway.
                await intake.finish_job(job=job, status=Status.FAILED, delete_job=True)
                self._reaped += size_of(job.task_kwargs)


def _pool(**given: Any) -> AsyncConnectionPool:
    """One that broke tells in its use; procrastinate has each connection tried before each."""
    return AsyncConnectionPool(**{**given, "check": None})


async def _have_statements_alone(connection: psycopg.AsyncConnection) -> None:
    """To begin and commit a transaction would be two round trips more for each statement."""
    await connection.set_autocommit(True)


def _said(error: BaseException) -> str:
    return " ".join(str(error.__cause__ or error).split())[:256]


async def _end(task: asyncio.Task[NoReturn]) -> None:
    """A cancellation that comes while a connection breaks can be lost in psycopg."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
