"""Looks at the queue that the daemons share, as often as it takes to see a job that is stuck."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Thread

import psycopg

from tests.replicas.record import Doing

_EVERY_SECONDS = 1.0
_DOING = "SELECT id FROM procrastinate_jobs WHERE status = 'doing'"
_DOING_OF = f"{_DOING} AND worker_id = %s"
_WORKERS = "SELECT id FROM procrastinate_workers"


class QueueWatch:
    """What was under way at each look; none can be had while the server is away."""

    def __init__(self, url: str) -> None:
        self.looks: list[Doing] = []
        self._url = url
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def workers(self) -> frozenset[int]:
        """The numbers of the daemons that say that they live, or did so until they died."""
        with psycopg.connect(self._url) as opened:
            return frozenset(worker for (worker,) in opened.execute(_WORKERS))

    def jobs_of(self, worker: int) -> frozenset[int]:
        """The numbers of the jobs that one of them has under way now."""
        with psycopg.connect(self._url) as opened:
            return frozenset(job for (job,) in opened.execute(_DOING_OF, (worker,)))

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            with suppress(psycopg.Error), psycopg.connect(self._url, connect_timeout=2) as opened:
                jobs = frozenset(job for (job,) in opened.execute(_DOING))
                self.looks.append(Doing(time.time(), jobs))
