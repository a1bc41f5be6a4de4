"""Daemons that start at the same moment, on a database that none of them has made yet."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import make_url

from auditd.store.migration import HEAD, upgrade
from auditd.store.postgresql import PostgresqlBacking
from auditd.store.reader import open_reader
from tests.postgres import PostgresServer, reset
from tests.replicas.replica import wait_until
from tests.replicas.stage import Stage

pytestmark = pytest.mark.timeout(3600)

AT_ONCE = 3


@pytest.mark.parametrize("schema", ["", "0001"])
def test_daemons_that_start_at_once_make_one_schema(
    stage: Stage, server: PostgresServer, quarter: int, schema: str
) -> None:
    for _ in range(quarter):
        reset(server.url)
        if schema:
            _bring_to(server.url, schema)
        _start_together(stage, server.url)


def _start_together(stage: Stage, url: str) -> None:
    started = [stage.add() for _ in range(AT_ONCE)]
    wait_until(
        lambda: all(it.ended or it.told("daemon.ready") for it in started), "all have started"
    )
    assert [replica.exit_code for replica in started] == [None] * AT_ONCE
    with psycopg.connect(url) as connection:
        stored = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert stored == [(HEAD,)]
    with open_reader(url) as reader:
        assert reader.verify().ok
    for replica in started:
        replica.stop()
    stage.replicas.clear()


def _bring_to(url: str, revision: str) -> None:
    backing = PostgresqlBacking(make_url(url), is_exclusive=True)
    with backing.writes.begin() as connection:
        upgrade(connection, revision)
    backing.writes.dispose()
