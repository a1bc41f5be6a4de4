"""A newer release that takes the state over while daemons of this one run."""

from __future__ import annotations

import psycopg
import pytest

from auditd.cli.exits import Exit
from auditd.store.server import HALT
from tests.postgres import PostgresServer
from tests.replicas.replica import wait_until
from tests.replicas.stage import Stage

pytestmark = pytest.mark.timeout(300)

NOTICED_SECONDS = 10.0


def test_daemons_of_an_older_release_end_when_a_newer_one_has_changed_the_schema(
    stage: Stage, server: PostgresServer
) -> None:
    stage.begin(2)
    with psycopg.connect(server.url) as connection:
        connection.execute(HALT)
        connection.execute("UPDATE alembic_version SET version_num = '9998'")
    wait_until(
        lambda: all(replica.ended for replica in stage.replicas), "they end", NOTICED_SECONDS
    )
    assert [replica.exit_code for replica in stage.replicas] == [Exit.STORAGE] * 2
    for replica in stage.replicas:
        (stopping,) = replica.told("daemon.stopping")
        assert stopping["reason"] == "a newer release took the state over"
        said = replica.log.read_text()
        assert "up to schema 9998" in said.splitlines()[-1]
        assert "Traceback" not in said
