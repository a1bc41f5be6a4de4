"""What one hook is owed, in the order in which it is due."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from auditd.alerting.delivery import Delivery
from auditd.alerting.events import DeliveryDead, DeliveryRetried, DeliverySent
from auditd.hooks.alarm import Alarm
from auditd.hooks.pace import Pace
from auditd.hooks.port import Frugal, Hook

AT_ONCE = 16
"""Messages under way to one hook, each of another group."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery on its way.

    With `outcome` it was attempted and the ledger does not know yet: it must be told before
    anything else happens, so that nothing is sent twice.
    """

    delivery: Delivery
    outcome: DeliverySent | DeliveryRetried | DeliveryDead | None = None


class Lane:
    """The parcels of one hook, of each group at most one, so order is kept.

    Waiting is by the monotonic clock, in seconds, so that a step of the wall clock neither
    delays nor hurries anything.
    """

    def __init__(self, hook: Hook, *, monotonic: Callable[[], float], is_on: bool = True) -> None:
        self.hook = hook
        self.is_on = is_on
        self.is_closed = False
        self.places = asyncio.Semaphore(_places(hook))
        """One is held while a message is under way."""
        self._monotonic = monotonic
        self._pace = Pace(hook.messages_per_minute)
        self._held_until = -math.inf
        self._parcels: dict[str, Parcel] = {}
        """By the key of the group; those that were taken included."""
        self._due: list[tuple[bool, float, int, str]] = []
        """Outcomes that the ledger does not know come first, and all else waits for them."""
        self._ticket = count()
        self._alarm = Alarm()

    def has(self, group_key: str) -> bool:
        """Whether a parcel of the group is on its way."""
        return group_key in self._parcels

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All that are on their way."""
        return tuple(parcel.delivery for parcel in self._parcels.values())

    def free_at(self) -> float:
        """When a new message may be sent; infinite while the hook is switched off."""
        if not self.is_on:
            return math.inf
        return max(self._pace.free_at(self._monotonic()), self._held_until)

    @property
    def is_free(self) -> bool:
        """Whether what was claimed can be sent now."""
        if not self.is_on or self.is_closed or self._held_until > self._monotonic():
            return False
        is_ledger_behind = bool(self._due) and self._parcels[self._due[0][-1]].outcome is not None
        return not is_ledger_behind

    def accept(self, delivery: Delivery, *, delay_seconds: float) -> None:
        """Take over a delivery whose group has none here."""
        if not delivery.attempts:
            self._pace.take(self._monotonic())
        self.put_back(Parcel(delivery), delay_seconds=delay_seconds)

    def put_back(self, parcel: Parcel, *, delay_seconds: float) -> None:
        """The parcel that was taken, as it is now; it can be taken again after the delay."""
        group_key = parcel.delivery.group_key
        self._parcels[group_key] = parcel
        due_at = self._monotonic() + delay_seconds
        is_fresh = parcel.outcome is None
        heapq.heappush(self._due, (is_fresh, due_at, next(self._ticket), group_key))
        self._alarm.ring()

    def finish(self, parcel: Parcel) -> None:
        """The parcel that was taken is settled."""
        del self._parcels[parcel.delivery.group_key]
        if self.is_closed:
            self._alarm.ring()

    def drop(self, delivery: Delivery) -> bool:
        """Whether it waited here; it does no more. Who took it before finishes it."""
        parcel = self._parcels.get(delivery.group_key)
        left = [each for each in self._due if each[-1] != delivery.group_key]
        if not parcel or parcel.delivery.id != delivery.id or len(left) == len(self._due):
            return False
        del self._parcels[delivery.group_key]
        self._due = left
        heapq.heapify(self._due)
        return True

    def hold(self, seconds: float) -> None:
        """Send nothing for so long: the receiver asked for it."""
        self._held_until = max(self._held_until, self._monotonic() + seconds)

    def switch(self, *, is_on: bool) -> None:
        """Whether anything is sent at all."""
        self.is_on = is_on
        self._alarm.ring()

    def adopt(self, hook: Hook) -> None:
        """Send by this from the next attempt on: the hook was configured anew."""
        self._pace = self._pace.at(hook.messages_per_minute)
        if _places(hook) != _places(self.hook):
            self.places = asyncio.Semaphore(_places(hook))
        self.hook = hook
        self._alarm.ring()

    def close(self) -> None:
        """Nothing is sent any more: all that is here can be taken now, to be given up."""
        self.is_closed = True
        now = self._monotonic()
        self._due = [
            (is_fresh, now if is_fresh else due_at, ticket, group_key)
            for is_fresh, due_at, ticket, group_key in self._due
        ]
        heapq.heapify(self._due)
        self._alarm.ring()

    async def take(self) -> Parcel | None:
        """The next parcel, once it is due and the hook may be told something.

        None when the lane is closed and nothing is left in it, on its way included.
        """
        while (delay := self._delay()) > 0:
            if self.is_closed and not self._parcels:
                return None
            await self._alarm.wait(delay)
        *_, group_key = heapq.heappop(self._due)
        parcel = self._parcels[group_key]
        if parcel.delivery.attempts and not parcel.outcome and not self.is_closed:
            self._pace.take(self._monotonic())
        return parcel

    def _delay(self) -> float:
        """Seconds until the first parcel can be taken."""
        if not self._due:
            return math.inf
        _, due_at, _, group_key = self._due[0]
        parcel = self._parcels[group_key]
        now = self._monotonic()
        if parcel.outcome or self.is_closed:
            return due_at - now
        if not self.is_on:
            return math.inf
        paced_at = self._pace.free_at(now) if parcel.delivery.attempts else now
        return max(due_at, self._held_until, paced_at) - now


def _places(hook: Hook) -> int:
    return min(hook.at_once, AT_ONCE) if isinstance(hook, Frugal) else AT_ONCE
