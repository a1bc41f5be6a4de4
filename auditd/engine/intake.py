"""What a process takes from the queue of procrastinate's, and how it gives it back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import psycopg
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback

BACK_OFF_SECONDS = 1.0
"""Between two tries to reach the server again: it is not asked more often, and noticed at once."""


class Intake(JobManager):
    """Takes no more while there is enough to do, and remembers what could not be given back.

    Args:
        connector: to the queue.
        is_full: whether there is enough to do; `look_again` says when it may be otherwise.
    """

    def __init__(self, connector: BaseConnector, is_full: Callable[[], bool]) -> None:
        super().__init__(connector)
        self.unended: list[int] = []
        """The jobs whose end could not be noted: they would be under way for ever."""
        self._is_full = is_full
        self._was_full = False
        self._tell: NotificationCallback | None = None

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """See JobManager."""
        if self._is_full():
            self._was_full = True
            return None
        return await super().fetch_job(queues, worker_id)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """See JobManager. It listens again if that fails, of which a worker takes no notice."""
        self._tell = on_notification
        while True:
            with suppress(ConnectorException, psycopg.Error):
                return await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            heed_cancellation()
            await asyncio.sleep(BACK_OFF_SECONDS)

    async def look_again(self) -> None:
        """Have the worker fetch what it was kept from."""
        if self._was_full and self._tell and not self._is_full():
            self._was_full = False
            await self._tell(channel="", notification={"type": "job_inserted", "job_id": 0})

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001 -- procrastinate's signature
        """See JobManager. Raises nothing of the server's."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException:
            self.unended += [job.id] if job.id else []


def heed_cancellation() -> None:
    """Raises CancelledError if this task is to end.

    A cancellation that comes while a connection breaks can be lost in psycopg.
    """
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
