"""A daemon that is cut off from the database, and from nothing else."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import make_url

from tests.postgres import PostgresServer
from tests.replicas.network import separate_network
from tests.replicas.stage import REPLICAS, Stage, assert_sound

pytestmark = pytest.mark.timeout(600)

CUT_SECONDS = 60.0 if "AUDITD_REPLICA_ROUNDS" in os.environ else 28.0
"""Longer than the 25 s after which it is noticed."""
RECOVERY_SECONDS = 10.0


def test_a_daemon_that_is_cut_off_tells_nothing_twice_and_comes_back_by_itself(
    stage: Stage, server: PostgresServer
) -> None:
    with separate_network(server.port) as network:
        host, port = network.database
        url = make_url(server.url).set(host=host, port=port)
        stage.add(
            host=network.outside,
            url=url.render_as_string(hide_password=False),
            prefix=network.prefix,
        )
        stage.begin(REPLICAS - 1)
        time.sleep(4)
        alone = REPLICAS == 1
        recovery_seconds = RECOVERY_SECONDS if alone else 0.0
        with stage.trouble(is_total=alone, recovery_seconds=recovery_seconds, is_halt=True):
            network.cut()
            time.sleep(CUT_SECONDS)
            network.mend()
        time.sleep(RECOVERY_SECONDS + 4)
        assert [replica.exit_code for replica in stage.replicas] == [None] * REPLICAS
        print(network.what, end=": ")  # noqa: T201 -- which of the two it was
        assert_sound(stage.conclude())
