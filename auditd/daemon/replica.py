"""One of several daemons on one database: what it does for being one, beside its work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol

from auditd.daemon.alarms import Alarms
from auditd.daemon.replica_news import Newsroom
from auditd.daemon.replica_slots import ReplicaSlots
from auditd.daemon.watch import Watch
from auditd.daemon.work import work
from auditd.engine.port import Engine
from auditd.polling.scheduler import Scheduler
from auditd.store.errors import StoreError, StoreOutdatedError
from auditd.store.replicas import Replicas

BEAT_SECONDS = 10.0
"""How often a replica says that it lives."""
STALL_SECONDS = 30.0
"""A replica that has not said so for so long is dead; it counts for rates until then."""
LOOK_SECONDS = 5.0
"""How often it is looked for what changed when nobody says that something did."""
_GATHER_SECONDS = 0.02
"""How long changes are gathered, so that a thousand are not fetched one by one."""
_ASK_SECONDS = 0.25
"""How often it is asked whether the others have counted."""

_log = logging.getLogger(__name__)


class Follower(Protocol):
    """See Listener."""

    async def run(self) -> NoReturn:
        """Listen until cancelled."""


class Replica:
    """Lets this daemon and those beside it work as one.

    Args:
        replicas: the database that they share.
        engine: does the polls of all.
        slots: has them queued.
        newsroom: publishes what the others wrote.
        listener: makes a Listener that calls what it is given.
        watch: the parts that see, whose rate is shared.
        alarms: the parts that tell, which take over what dead replicas owed.
        scheduler: polls.
    """

    def __init__(
        self,
        replicas: Replicas,
        engine: Engine,
        slots: ReplicaSlots,
        newsroom: Newsroom,
        *,
        listener: Callable[[Callable[[], None]], Follower],
        watch: Watch,
        alarms: Alarms,
        scheduler: Scheduler,
    ) -> None:
        self._slots = slots
        self._replicas = replicas
        self._engine = engine
        self._newsroom = newsroom
        self._listener = listener(self._hear)
        self._watch = watch
        self._alarms = alarms
        self._scheduler = scheduler
        self._heard = asyncio.Event()
        self._beats = asyncio.Event()

    async def join(self) -> None:
        """Be one of the replicas. Raises StoreWriteError."""
        self._watch.divide(await self._replicas.beat(STALL_SECONDS))

    async def leave(self) -> None:
        """Be none any more: the others take over at once."""
        with suppress(StoreError):  # then they notice by themselves, after STALL_SECONDS
            await self._replicas.leave()

    async def run(self) -> None:
        """Work with the others until cancelled.

        Raises:
            StoreOutdatedError: in a group; the others are of a newer release.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(), name="replica beat")
            group.create_task(self._listener.run(), name="replica listener")
            group.create_task(self._follow(group), name="replica news")
            group.create_task(self._work(), name="replica work")

    async def catch_up(self) -> None:
        """Know all that the others wrote until now, as far as the database can be read."""
        with suppress(StoreError):
            await self._newsroom.catch_up()

    def _hear(self) -> None:
        self._heard.set()

    async def _work(self) -> None:
        """Poll; beside others only once they know that the rate is shared by one more."""
        with suppress(TimeoutError, StoreError):
            async with asyncio.timeout(LOOK_SECONDS):
                while not await self._replicas.are_told():  # noqa: ASYNC110 -- it is in a database
                    await asyncio.sleep(_ASK_SECONDS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._slots.run(), name="slots")
            group.create_task(work(self._engine, self._scheduler), name="engine")

    async def _beat(self) -> NoReturn:
        while True:
            try:
                owed = await self._replicas.take_over(self._alarms.deliverer.hook_names)
                for delivery in owed:
                    self._alarms.deliverer.accept(delivery)
            except StoreOutdatedError:
                raise
            except StoreError as error:
                _log.warning("other replicas are not told that this one lives: %s", error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._beats.wait(), BEAT_SECONDS)
            self._beats.clear()
            with suppress(StoreError):  # which the next call finds as well
                self._watch.divide(await self._replicas.beat(STALL_SECONDS))

    async def _follow(self, group: asyncio.TaskGroup) -> NoReturn:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), LOOK_SECONDS)
                await asyncio.sleep(_GATHER_SECONDS)
            self._heard.clear()
            try:
                news = await self._newsroom.catch_up()
            except StoreError as error:
                _log.warning("what other replicas changed is not known here: %s", error)
                continue
            if news.have_replicas_changed:
                self._beats.set()
            for source in news.sources:
                group.create_task(self._scheduler.reread(source), name=f"reading of {source}")
