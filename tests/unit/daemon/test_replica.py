from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest

from auditd.alerting.delivery import Delivery
from auditd.daemon.replica import BEAT_SECONDS, LOOK_SECONDS, STALL_SECONDS, Replica
from auditd.engine.port import Handler
from auditd.store.errors import (
    StoreError,
    StoreFault,
    StoreOutdatedError,
    StoreReadError,
    StoreWriteError,
)
from auditd.store.news import News
from tests.unit.hooks.fakes import delivery_of

pytestmark = pytest.mark.looptime
AWAY = StoreWriteError(StoreFault.UNREACHABLE, "PostgreSQL on db")
OUTDATED = StoreOutdatedError("PostgreSQL on db", "9998", "0001")
UNREAD = StoreReadError(StoreFault.UNREACHABLE, "PostgreSQL on db")


def time() -> float:
    return asyncio.get_running_loop().time()


class FakeReplicas:
    """A database in which as many live as the test says."""

    def __init__(self) -> None:
        self.is_away = False
        self.refusal: StoreError = AWAY
        self.alive = 2
        self.told_at = 0.0
        self.beats: list[float] = []
        self.owed: tuple[Delivery, ...] = ()
        self.has_left = False

    async def beat(self, stall_seconds: float) -> int:
        assert stall_seconds == STALL_SECONDS
        self._reach()
        self.beats.append(time())
        return self.alive

    async def are_told(self) -> bool:
        self._reach()
        return time() >= self.told_at

    async def leave(self) -> None:
        self._reach()
        self.has_left = True

    async def take_over(self, hooks: Collection[str]) -> tuple[Delivery, ...]:
        assert hooks == {"ops"}
        self._reach()
        owed, self.owed = self.owed, ()
        return owed

    def _reach(self) -> None:
        if self.is_away:
            raise self.refusal


class FakeNewsroom:
    """Has the news of the test, once."""

    def __init__(self) -> None:
        self.news = News()
        self.is_away = False
        self.asked: list[float] = []

    async def catch_up(self) -> News:
        self.asked.append(time())
        if self.is_away:
            raise UNREAD
        news, self.news = self.news, News()
        return news


class Bench:
    """A replica of which everything else is a fake."""

    def __init__(self) -> None:
        self.replicas = FakeReplicas()
        self.newsroom = FakeNewsroom()
        self.shares: list[int] = []
        self.accepted: list[Delivery] = []
        self.reread: list[str] = []
        self.began: dict[str, float] = {}
        parts: Any = SimpleNamespace(
            divide=self.shares.append,
            deliverer=SimpleNamespace(hook_names=frozenset({"ops"}), accept=self.accepted.append),
            reread=self._reread,
            run=self._running("slots"),
        )
        engine = SimpleNamespace(run=self._engine)
        self.replica = Replica(
            cast("Any", self.replicas),
            cast("Any", engine),
            slots=parts,
            newsroom=cast("Any", self.newsroom),
            listener=self._listener,
            watch=parts,
            alarms=parts,
            scheduler=parts,
        )

    async def _reread(self, source: str) -> None:
        self.reread.append(source)

    def _listener(self, hear: Callable[[], None]) -> Any:
        self.hear = hear
        return SimpleNamespace(run=self._running("listener"))

    async def _engine(self, handlers: Mapping[str, Handler]) -> None:
        assert handlers
        await self._running("engine")()

    def _running(self, name: str) -> Callable[[], Coroutine[Any, Any, NoReturn]]:
        async def run() -> NoReturn:
            self.began[name] = time()
            while True:
                await asyncio.Event().wait()

        return run

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.replica.run())
        await asyncio.sleep(0)
        try:
            yield
            assert not task.done(), "it ended by itself"
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_who_joins_shares_the_rate_with_those_that_live(bench: Bench) -> None:
    await bench.replica.join()
    assert bench.shares == [2]


async def test_who_cannot_say_that_it_lives_does_not_begin(bench: Bench) -> None:
    bench.replicas.is_away = True
    with pytest.raises(StoreWriteError):
        await bench.replica.join()
    assert bench.shares == []


async def test_who_leaves_says_so_if_it_can(bench: Bench) -> None:
    await bench.replica.leave()
    assert bench.replicas.has_left
    bench.replicas.is_away = True
    await bench.replica.leave()


async def test_each_beat_divides_the_rate_anew(bench: Bench) -> None:
    async with bench.working():
        await asyncio.sleep(BEAT_SECONDS + 1)
        bench.replicas.alive = 5
        await asyncio.sleep(BEAT_SECONDS)
    assert bench.replicas.beats == [BEAT_SECONDS, 2 * BEAT_SECONDS]
    assert bench.shares == [2, 5]


async def test_what_a_dead_replica_owes_is_taken_over_with_a_beat(bench: Bench) -> None:
    async with bench.working():
        bench.replicas.owed = (delivery_of(1),)
        await asyncio.sleep(BEAT_SECONDS + 1)
    assert bench.accepted == [delivery_of(1)]


async def test_a_replica_that_came_or_left_is_counted_at_once(bench: Bench) -> None:
    async with bench.working():
        bench.newsroom.news = News(have_replicas_changed=True)
        bench.replicas.alive, bench.replicas.owed = 1, (delivery_of(1),)
        bench.hear()
        await asyncio.sleep(1)
        assert bench.shares == [1]
        assert bench.accepted == [delivery_of(1)]


async def test_nothing_is_polled_before_the_others_count_this_one(bench: Bench) -> None:
    bench.replicas.told_at = 3.1
    async with bench.working():
        await asyncio.sleep(3)
        assert bench.began.keys() == {"listener"}
        await asyncio.sleep(1)
        assert bench.began == {"listener": 0.0, "slots": 3.25, "engine": 3.25}


async def test_one_that_does_not_count_this_one_holds_it_up_for_a_look_only(bench: Bench) -> None:
    bench.replicas.told_at = 3600
    async with bench.working():
        await asyncio.sleep(LOOK_SECONDS + 1)
        assert bench.began["engine"] == pytest.approx(LOOK_SECONDS)


async def test_notices_that_come_together_are_followed_once_and_at_once(bench: Bench) -> None:
    async with bench.working():
        for _ in range(10):
            bench.hear()
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        assert len(bench.newsroom.asked) == 1


async def test_what_nobody_says_is_looked_for(bench: Bench) -> None:
    async with bench.working():
        await asyncio.sleep(2 * LOOK_SECONDS + 1)
    assert bench.newsroom.asked == [LOOK_SECONDS, 2 * LOOK_SECONDS]


async def test_a_source_that_gave_something_else_is_read_again(bench: Bench) -> None:
    async with bench.working():
        bench.newsroom.news = News(sources=frozenset({"iam/prod"}))
        bench.hear()
        await asyncio.sleep(1)
    assert bench.reread == ["iam/prod"]


async def test_a_database_that_is_away_ends_nothing(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.replicas.is_away = bench.newsroom.is_away = True
    async with bench.working():
        await asyncio.sleep(2 * BEAT_SECONDS + 1)
        await bench.replica.catch_up()
        assert {"slots", "engine"} <= bench.began.keys(), "polls go on without the others"
        bench.replicas.is_away = bench.newsroom.is_away = False
        bench.newsroom.news = News(sources=frozenset({"iam/prod"}))
        await asyncio.sleep(BEAT_SECONDS)
    assert bench.shares == [2]
    assert bench.reread == ["iam/prod"]
    assert "other replicas are not told that this one lives" in caplog.text
    assert "what other replicas changed is not known here" in caplog.text


async def test_a_newer_release_ends_it_with_the_next_beat(bench: Bench) -> None:
    running = asyncio.create_task(bench.replica.run())
    await asyncio.sleep(1)
    bench.replicas.refusal = OUTDATED
    bench.replicas.is_away = True
    await asyncio.sleep(BEAT_SECONDS + 1)
    error = running.exception()
    assert isinstance(error, ExceptionGroup)
    assert error.exceptions == (OUTDATED,)
