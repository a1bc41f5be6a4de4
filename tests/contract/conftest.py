from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auditd.store.store import Store
from tests.unit.store.examples import (
    Clock,
    Reopen,
    opened_at,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a database in which there is nothing."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    url: str = request.getfixturevalue("postgres")
    return url


@pytest.fixture
def reopen(url: str, clock: Clock) -> Reopen:
    """Opens the same store each time."""
    return lambda: opened_at(url, clock)


@pytest.fixture
async def store(reopen: Reopen) -> AsyncIterator[Store]:
    async with reopen() as store:
        yield store
