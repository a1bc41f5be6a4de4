from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import PostgresServer, private_server
from tests.replicas.stage import Stage, on_stage


@pytest.fixture
def server(postgres_binaries: Path) -> Iterator[PostgresServer]:
    """One of the test's own, which it may crash."""
    with private_server(postgres_binaries) as server:
        yield server


@pytest.fixture
def stage(server: PostgresServer, tmp_path: Path) -> Iterator[Stage]:
    """A stage without daemons on that server."""
    with on_stage(tmp_path, server.url) as stage:
        yield stage


@pytest.fixture
def rounds() -> int:
    """How many daemons are killed; AUDITD_REPLICA_ROUNDS has another number for a long run."""
    return int(os.environ.get("AUDITD_REPLICA_ROUNDS", "3"))


@pytest.fixture
def quarter(rounds: int) -> int:
    """How often happens what takes longer."""
    return max(1, rounds // 4)
