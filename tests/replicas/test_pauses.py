"""A daemon that is halted, and goes on when others have done its work."""

from __future__ import annotations

import signal
import time
from random import SystemRandom

import pytest

from tests.replicas.stage import REPLICAS, Stage, assert_sound

pytestmark = pytest.mark.timeout(4800)

PAUSE_SECONDS = 35.0
"""Longer than the 30 s after which the others take it for dead."""
RECOVERY_SECONDS = 10.0
"""So soon it polls again."""


def test_a_daemon_that_was_halted_does_nothing_that_is_not_due_any_more(
    stage: Stage, quarter: int
) -> None:
    random = SystemRandom()
    stage.begin(REPLICAS)
    for _ in range(quarter):
        time.sleep(random.uniform(1, 4))
        halted = random.choice(stage.replicas)
        with stage.trouble(is_total=REPLICAS == 1, is_halt=True):
            halted.send(signal.SIGSTOP)
            time.sleep(PAUSE_SECONDS)
            halted.send(signal.SIGCONT)
        halted.wait_until_it_polls(RECOVERY_SECONDS)
    time.sleep(3)
    assert_sound(stage.conclude())
