from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auditd.store.store import Store
from tests.unit.store.examples import (
    Clock,
    Reopen,
    opened,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite"])
def reopen(tmp_path: Path, clock: Clock) -> Reopen:
    """Opens the same store each time."""
    return lambda: opened(tmp_path / "state.db", clock)


@pytest.fixture
async def store(reopen: Reopen) -> AsyncIterator[Store]:
    async with reopen() as store:
        yield store
