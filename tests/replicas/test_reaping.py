"""SIGKILL to a daemon that has polls under way: somebody has to take its jobs away."""

from __future__ import annotations

import signal
import time

import pytest

from tests.replicas.jobs import REAPED_SECONDS
from tests.replicas.replica import Replica, wait_until
from tests.replicas.stage import Stage, assert_sound

pytestmark = pytest.mark.timeout(3600)


def test_what_a_killed_daemon_had_begun_is_taken_away_within_forty_seconds(
    stage: Stage, quarter: int
) -> None:
    stage.begin(1)
    for _ in range(quarter):
        before = stage.queue.workers()
        victim = stage.add()
        wait_until(lambda before=before: stage.queue.workers() - before, "it works")  # type: ignore[misc]  # of defaults
        (worker,) = stage.queue.workers() - before
        with stage.trouble(is_total=False, is_halt=True):
            begun = _halt_at_work(stage, victim, worker)
            victim.kill()
            killed_at = time.monotonic()
            wait_until(
                lambda begun=begun, worker=worker: not begun & stage.queue.jobs_of(worker),  # type: ignore[misc]  # of defaults
                f"the jobs {sorted(begun)} are taken away",
                REAPED_SECONDS - (time.monotonic() - killed_at),
            )
    assert_sound(stage.conclude())


def _halt_at_work(stage: Stage, replica: Replica, worker: int) -> frozenset[int]:
    """Let it stand still in the midst of jobs. Returns these; there is one at least."""
    for _ in range(500):
        replica.send(signal.SIGSTOP)
        if stage.queue.jobs_of(worker):
            time.sleep(0.5)  # for what it had sent already
            if jobs := stage.queue.jobs_of(worker):
                return jobs
        replica.send(signal.SIGCONT)
        time.sleep(0.05)
    msg = "it never had a job under way"
    raise AssertionError(msg)
