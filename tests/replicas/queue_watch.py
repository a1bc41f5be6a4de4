"""Looks at the queue that the daemons share, as often as it takes to see a job that is stuck."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Event, Thread

import psycopg

from tests.replicas.record import Doing

_EVERY_SECONDS = 1.0
_DOING = "SELECT id FROM procrastinate_jobs WHERE status = 'doing'"


class QueueWatch:
    """What was under way at each look; none can be had while the server is away."""

    def __init__(self, url: str) -> None:
        self.looks: list[Doing] = []
        self._url = url
        self._ended = Event()
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_EVERY_SECONDS):
            with suppress(psycopg.Error), psycopg.connect(self._url, connect_timeout=2) as opened:
                jobs = frozenset(job for (job,) in opened.execute(_DOING))
                self.looks.append(Doing(time.time(), jobs))
