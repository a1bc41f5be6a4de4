"""Decides when a group is told of, and what: once it is due and its hook can take a message."""

from __future__ import annotations

import asyncio
import heapq
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import datetime

from auditd.alerting.delivery import Delivery
from auditd.alerting.flush import flush
from auditd.alerting.grouping import Group, next_flush_at
from auditd.alerting.hush import Hush
from auditd.alerting.notification import Notification
from auditd.alerting.superseded import SupersededError
from auditd.hooks.alarm import Alarm
from auditd.hooks.board import Board
from auditd.hooks.deliverer import LEDGER_PAUSE_SECONDS, Deliverer
from auditd.hooks.endurance import see_through
from auditd.hooks.ledger import Ledger

AT_ONCE = 64
"""Groups that are flushed together; so many share the price of a commit."""

YIELD_SECONDS = 1.0
"""How much later a group is told that another replica is likely to tell."""
AGAIN_SECONDS = 0.1
"""How much later one is told that rests on what another replica changed meanwhile."""

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
        self._catch_up: Callable[[], Awaitable[None]] | None = None
        self._is_behind = False
        self._of_others: set[str] = set()
        board.listen(self._plan_if_new)
        deliverer.listen(self._plan_if_new)
        self.realign()

    def share(self, catch_up: Callable[[], Awaitable[None]]) -> None:
        """Other replicas flush the same groups; whoever is first tells.

        Args:
            catch_up: makes known here what the others wrote.
        """
        self._catch_up = catch_up

    def yield_to_others(self, key: str) -> None:
        """Another replica wrote this group last, and will most likely be the next as well."""
        self._of_others.add(key)

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
            await see_through(self._flush_due(), name="flush")
            if self._is_behind and self._catch_up:
                self._is_behind = False
                await self._catch_up()

    def _delay(self) -> float:
        return self._due[0][0] - self._monotonic() if self._due else math.inf

    async def _flush_due(self) -> None:
        """While nobody else changes anything: flush, write, publish, whatever can be told."""
        async with self._board.lock:
            now, hush = self._now(), self._board.hush
            await asyncio.gather(*(self._flush(group, now, hush) for group in self._take()))

    def _take(self) -> list[Group]:
        """Groups that are due and can be told, at most AT_ONCE; others are planned or left.

        Of a hook that takes so many messages a minute it is one: whether it can take another is
        only known when this one is written.
        """
        groups: list[Group] = []
        paced: set[str] = set()
        while len(groups) < AT_ONCE and self._delay() <= 0:
            due_at, key = heapq.heappop(self._due)
            if self._planned.get(key) != due_at:
                continue  # it was planned anew
            del self._planned[key]
            group = self._board.groups.get(key)
            if group is None or self._deliverer.is_pending(group.hook, key):
                continue  # when the delivery is settled we are told
            if group.hook in paced:
                self._plan(key, due_at)
                break
            if (free_at := self._deliverer.free_at(group.hook)) <= self._monotonic():
                groups.append(group)
                if self._deliverer.is_paced(group.hook):
                    paced.add(group.hook)
            elif not math.isinf(free_at):
                self._plan(key, free_at)
        return groups

    async def _flush(self, group: Group, now: datetime, hush: Hush) -> None:
        try:
            await self._record(group, now, hush)
        except SupersededError:
            self._is_behind = True
            self._plan(group.key, self._monotonic() + AGAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 # whatever the ledger raises; it is logged
            _log.warning("group %s waits for the ledger: %r", group.key, error)
            self._plan(group.key, self._monotonic() + LEDGER_PAUSE_SECONDS)

    async def _record(self, group: Group, now: datetime, hush: Hush) -> None:
        after, notification = flush(
            group,
            self._board.members_of(group),
            self._board.settings_of(group),
            hush,
            now=now,
            limit=self._deliverer.limit_of(group.hook),
        )
        delivery = self._owed(notification, now) if notification else None
        if delivery or after.members != group.members:
            await self._ledger.record_flush(after, delivery)
        # Otherwise only the time of the flush is new. Lost in a crash, it costs a flush too many.
        self._of_others.discard(group.key)
        self._board.publish_group(after)
        if delivery:
            self._deliverer.accept(delivery)

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
        delay = max(0.0, (due_at - now).total_seconds())
        if key in self._of_others:
            delay += YIELD_SECONDS
        self._plan(key, self._monotonic() + delay)

    def _plan(self, key: str, at: float) -> None:
        self._planned[key] = at
        heapq.heappush(self._due, (at, key))
        self._alarm.ring()
