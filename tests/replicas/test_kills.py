"""SIGKILL to one of the daemons at any moment."""

from __future__ import annotations

import time
from random import SystemRandom

import pytest

from tests.replicas.stage import REPLICAS, Stage, assert_sound

pytestmark = pytest.mark.timeout(3600)


def test_a_killed_daemon_costs_no_alert_and_no_more_than_its_own_absence(
    stage: Stage, rounds: int
) -> None:
    random = SystemRandom()
    stage.begin(REPLICAS)
    for _ in range(rounds):
        time.sleep(random.uniform(1, 5))
        victim = random.choice(stage.replicas)
        with stage.trouble(is_total=REPLICAS == 1):
            victim.kill()
            if REPLICAS > 1:
                time.sleep(random.uniform(0, 5))
            victim.start()
            victim.wait_until_ready()
    time.sleep(3)
    assert_sound(stage.conclude())
