"""Decides when a group is told of, and what: once it is due and its hook can take a message."""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
from collections.abc import Callable
from datetime import datetime

from auditd.alerting.delivery import Delivery
from auditd.alerting.flush import flush
from auditd.alerting.grouping import next_flush_at
from auditd.alerting.notification import Notification
from auditd.hooks.alarm import Alarm
from auditd.hooks.board import Board
from auditd.hooks.deliverer import LEDGER_PAUSE_SECONDS, Deliverer
from auditd.hooks.endurance import see_through
from auditd.hooks.ledger import Ledger

AT_ONCE = 250
"""Groups that are flushed side by side, so that they are written together."""

_log = logging.getLogger(__name__)


class Flusher:
    """Flushes each group when its time has come.

    A group waits while its hook is still owed its last message, is switched off, or has had as
    many messages as it takes in a minute. What happens meanwhile is told with the next message:
    overflow is merged and not queued.

    Args:
        board: the alerts and groups.
        ledger: where a flush and the delivery that it gives are written together.
        deliverer: gets the deliveries.
        new_id: makes the ids of deliveries: unique for ever, visible ASCII without dots.
    """

    def __init__(
        self,
        board: Board,
        ledger: Ledger,
        deliverer: Deliverer,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._board = board
        self._ledger = ledger
        self._deliverer = deliverer
        self._now = now
        self._monotonic = monotonic
        self._new_id = new_id
        self._due: list[tuple[float, str]] = []
        self._planned: dict[str, float] = {}
        self._alarm = Alarm()
        board.listen(self._plan_if_new)
        deliverer.listen(self._plan_if_new)
        self.realign()

    def realign(self) -> None:
        """Plan all groups anew: hooks were switched on, or the wall clock was set."""
        self._due.clear()
        self._planned.clear()
        for key in self._board.groups:
            self._plan_if_new(key)

    async def run(self) -> None:
        """Flush until cancelled; a flush under way is finished first."""
        while True:
            while (delay := self._delay()) > 0:
                await self._alarm.wait(delay)
            await asyncio.gather(*(self._see_through(key) for key in self._take()))

    def _delay(self) -> float:
        return self._due[0][0] - self._monotonic() if self._due else math.inf

    def _take(self) -> list[str]:
        """Groups that are due, at most AT_ONCE; those that were planned anew are not.

        Of a hook that takes so many messages a minute it is one: whether it can take another is
        only known when this one is done.
        """
        keys: list[str] = []
        paced: set[str] = set()
        while len(keys) < AT_ONCE and self._delay() <= 0:
            due_at, key = self._due[0]
            group = self._board.groups.get(key)
            if group and group.hook in paced:
                break
            if group and self._deliverer.is_paced(group.hook):
                paced.add(group.hook)
            heapq.heappop(self._due)
            if self._planned.get(key) == due_at:
                del self._planned[key]
                keys.append(key)
        return keys

    async def _see_through(self, key: str) -> None:
        await see_through(self._handle(key), name=f"flush of {key}")

    async def _handle(self, key: str) -> None:
        try:
            await self._flush(key)
        except Exception as error:  # noqa: BLE001 # whatever the ledger raises; it is logged
            _log.warning("group %s waits for the ledger: %r", key, error)
            self._plan(key, self._monotonic() + LEDGER_PAUSE_SECONDS)

    async def _flush(self, key: str) -> None:
        """Flush one group, or plan it for when that is possible. Raises what the ledger does."""
        group = self._board.groups.get(key)
        if group is None or self._deliverer.is_pending(group.hook, key):
            return  # when the delivery is settled we are told
        free_at = self._deliverer.free_at(group.hook)
        if free_at > self._monotonic():
            if not math.isinf(free_at):
                self._plan(key, free_at)
            return
        async with self._board.lock.flushing(key):
            delivery = await self._record(key)
        if delivery:
            self._deliverer.accept(delivery)

    async def _record(self, key: str) -> Delivery | None:
        """While nobody else changes the group: flush, write, publish."""
        group = self._board.groups.get(key)
        if group is None:
            return None
        now = self._now()
        after, notification = flush(
            group,
            self._board.alerts,
            self._board.settings_of(group),
            self._board.hush,
            now=now,
            limit=self._deliverer.limit_of(group.hook),
        )
        delivery = self._owed(notification, now) if notification else None
        if delivery or after.members != group.members:
            await self._ledger.record_flush(after, delivery)
        # Otherwise only the time of the flush is new. Lost in a crash, it costs a flush too many.
        self._board.publish_group(after)
        return delivery

    def _owed(self, notification: Notification, now: datetime) -> Delivery:
        return Delivery(
            id=self._new_id(),
            hook=notification.hook,
            group_key=notification.group_key,
            notification=notification,
            created_at=now,
            next_at=now,
        )

    def _plan_if_new(self, key: str) -> None:
        """Plan a group for its time, unless it is planned or over."""
        group = self._board.groups.get(key)
        if group is None or key in self._planned:
            return
        now = self._now()
        due_at = next_flush_at(group, self._board.settings_of(group), now)
        self._plan(key, self._monotonic() + max(0.0, (due_at - now).total_seconds()))

    def _plan(self, key: str, at: float) -> None:
        self._planned[key] = at
        heapq.heappush(self._due, (at, key))
        self._alarm.ring()
