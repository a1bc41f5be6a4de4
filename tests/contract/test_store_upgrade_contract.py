"""What replicas on one server share while they live, and what ends that: a newer release."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import psycopg
import pytest

from auditd.store.errors import StoreOutdatedError
from auditd.store.opening import open_store
from auditd.store.replicas import Replicas
from auditd.store.server import HALT
from auditd.store.store import Store
from tests.unit.store.examples import RETENTION, Clock, a_snapshot

Join: TypeAlias = Callable[[str], AbstractAsyncContextManager[Store]]
NEWER = "UPDATE alembic_version SET version_num = '9998'"
WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def join(postgres: str, clock: Clock) -> Join:
    return lambda name: open_store(postgres, now=clock, retention=RETENTION, replica=name)


@pytest.fixture
async def one(join: Join) -> AsyncIterator[Store]:
    async with join("one") as store:
        yield store


def shared(store: Store) -> Replicas:
    assert store.replicas
    return store.replicas


async def test_all_replicas_sign_forms_with_one_key_until_the_last_is_gone(
    join: Join, one: Store
) -> None:
    await shared(one).beat(30)
    key = await shared(one).form_key()
    async with join("two") as two:
        await shared(two).beat(30)
        assert await shared(two).form_key() == key
        await shared(one).leave()
    assert await shared(one).form_key() == key, "two is gone, and nobody knows yet"
    await shared(one).beat(0)
    other = await shared(one).form_key()
    assert len(other) == 32
    assert other != key


async def test_replicas_that_start_together_sign_forms_with_one_key(join: Join, one: Store) -> None:
    async with join("two") as two:
        await shared(one).beat(30)
        await shared(two).beat(30)
        assert await shared(one).form_key() == await shared(two).form_key()


@pytest.mark.parametrize("works", [1, 2])
async def test_who_is_older_than_the_schema_writes_nothing_any_more(
    one: Store, postgres: str, works: int
) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute(NEWER)
    names = [f"p{number}" for number in range(works)]
    writes = [one.record_poll(a_snapshot(name), [], [], []) for name in names]
    told = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(it) for it in told] == [StoreOutdatedError] * works
    assert "up to schema 9998" in str(told[0])
    assert "run the newer release" in str(told[0])
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT count(*) FROM snapshots").fetchone() == (0,)


async def test_who_waits_for_a_migration_finds_out_that_there_was_one(
    one: Store, postgres: str
) -> None:
    with psycopg.connect(postgres) as connection:
        connection.execute(HALT)
        beat = asyncio.create_task(shared(one).beat(30))
        with psycopg.connect(postgres, autocommit=True) as other:
            while not other.execute(WAITS).fetchone():  # noqa: ASYNC110 -- it is told to nobody
                await asyncio.sleep(0.01)
        connection.execute(NEWER)
        connection.commit()
        with pytest.raises(StoreOutdatedError):
            await beat
