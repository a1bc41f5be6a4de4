"""A database server that crashes, and one that stays away."""

from __future__ import annotations

import os
import time
from random import SystemRandom

import pytest

from tests.postgres import PostgresServer
from tests.replicas.stage import INTERVAL_SECONDS, REPLICAS, Stage, assert_sound

pytestmark = pytest.mark.timeout(7200)

AWAY_SECONDS = 60.0 if "AUDITD_REPLICA_ROUNDS" in os.environ else 8.0
RECOVERY_SECONDS = 10.0
"""All works again so long after the server does."""


def test_a_server_that_crashes_or_stays_away_costs_nothing_but_that_time(
    stage: Stage, server: PostgresServer, quarter: int
) -> None:
    random = SystemRandom()
    stage.begin(REPLICAS)
    for seconds in (*[0.0] * quarter, AWAY_SECONDS):
        time.sleep(random.uniform(2, 5))
        with stage.trouble(is_total=True, recovery_seconds=RECOVERY_SECONDS):
            server.stop()
            time.sleep(seconds)
            server.start()
        for replica in stage.replicas:
            replica.wait_until_it_polls(RECOVERY_SECONDS)
    time.sleep(RECOVERY_SECONDS + 2 * INTERVAL_SECONDS)
    assert [replica.exit_code for replica in stage.replicas] == [None] * REPLICAS
    assert_sound(stage.conclude())
