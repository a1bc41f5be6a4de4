"""Brings hooks what they are owed: claim, send, settle."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.events import DeliveryDead, Emit
from auditd.alerting.retry import DeathReason
from auditd.alerting.superseded import SupersededError
from auditd.hooks.crew import Crew
from auditd.hooks.lane import Lane, Parcel
from auditd.hooks.ledger import Ledger
from auditd.hooks.outcome import abandoned
from auditd.hooks.port import Hook
from auditd.hooks.removed import RemovedHook
from auditd.hooks.sending import Sender

IN_HAND = 250
"""Deliveries of one hook that are claimed, sent or settled; so many share the price of a commit."""
LEDGER_PAUSE_SECONDS = 5.0
"""How long to wait after the ledger could not be written."""

_LONGEST_DELAY = timedelta(hours=4)
"""The longest that the retry schedule gives; more, after a restart, is a clock that was set."""

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers at least once, and for each group in order.

    Each hook has a crew of its own, so that none waits for another. An attempt is claimed in the
    ledger first: when that cannot be written, nothing is sent. Many are claimed, and wait to be
    sent; what is not sent because its hook was held meanwhile is claimed again. What became of an
    attempt is written before anything else happens to the delivery, so it is repeated only across
    a crash.

    Args:
        hooks: all that are told by messages, by unique names.
        ledger: where attempts and ends are written.
        pending: what was owed when the last process ended, in the order in which it was. What is
            owed to hooks that are not among `hooks` is given up, as if they were removed now.
        switched_off: the names of hooks that are told nothing.
        external_url: where people reach this daemon.
        random: a number in [0, 1).
    """

    def __init__(
        self,
        hooks: Collection[Hook],
        ledger: Ledger,
        *,
        pending: Iterable[Delivery],
        switched_off: Collection[str],
        external_url: str,
        emit: Emit,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._lanes: dict[str, Lane] = {}
        self._closed: list[Lane] = []
        """Those of removed hooks, until nothing is left in them."""
        self._switched_off = set(switched_off)
        """Hooks that are not configured included."""
        self._group: asyncio.TaskGroup | None = None
        self._ledger = ledger
        self._sender = Sender(external_url, now=now, monotonic=monotonic, random=random)
        self._emit = emit
        self._now = now
        self._monotonic = monotonic
        self._listeners: list[Callable[[str], None]] = []
        self._elsewhere: dict[str, Delivery] = {}
        """What other replicas are to send, by the key of the group."""
        owed = tuple(pending)
        former = {delivery.hook for delivery in owed}.difference(hook.name for hook in hooks)
        self.adopt([*hooks, *map(RemovedHook, former)])
        for delivery in owed:
            self.accept(delivery)
        self.adopt(hooks)

    def adopt(self, hooks: Iterable[Hook]) -> None:
        """Have these hooks from now on.

        What is being sent goes on as it began. What a hook is owed that was there before is sent
        by the new one from the next attempt; what a hook is owed that is gone is given up.
        """
        former, self._lanes = self._lanes, {}
        for hook in hooks:
            lane = former.pop(hook.name, None)
            if lane is None:
                is_on = hook.name not in self._switched_off
                lane = Lane(hook, monotonic=self._monotonic, is_on=is_on)
                self._start(lane)
            elif lane.hook is not hook:
                lane.adopt(hook)
            self._lanes[hook.name] = lane
        for lane in former.values():
            lane.close()
            self._closed.append(lane)

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """All that is owed, as it is now."""
        lanes = (*self._lanes.values(), *self._closed)
        ours = (item for lane in lanes for item in lane.deliveries)
        return (*ours, *self._elsewhere.values())

    @property
    def hook_names(self) -> frozenset[str]:
        """Those of all hooks that are told by messages."""
        return frozenset(self._lanes)

    @property
    def switched_off(self) -> frozenset[str]:
        """The names of hooks that are told nothing."""
        return frozenset(name for name, lane in self._lanes.items() if not lane.is_on)

    def is_pending(self, hook: str, group_key: str) -> bool:
        """Whether the hook is still owed something of the group."""
        lanes = [lane for lane in self._closed if lane.hook.name == hook]
        if hook in self._lanes:
            lanes.append(self._lanes[hook])
        return group_key in self._elsewhere or any(lane.has(group_key) for lane in lanes)

    def free_at(self, hook: str) -> float:
        """When, on the monotonic clock, the hook may be told something new; maybe never."""
        return self._lanes[hook].free_at() if hook in self._lanes else math.inf

    def is_paced(self, hook: str) -> bool:
        """Whether the hook takes only so many messages a minute."""
        return hook in self._lanes and self._lanes[hook].hook.messages_per_minute is not None

    def limit_of(self, hook: str) -> int | None:
        """The most alerts that the hook takes at once."""
        return self._lanes[hook].hook.limit

    def accept(self, delivery: Delivery) -> None:
        """Deliver what the ledger has as pending: what is new, and what is replayed.

        Its group has no other that is pending; the ledger sees to that.

        Raises:
            KeyError: there is no such hook.
        """
        self._elsewhere.pop(delivery.group_key, None)
        delay = min(delivery.next_at - self._now(), _LONGEST_DELAY)
        self._lanes[delivery.hook].accept(delivery, delay_seconds=max(0.0, delay.total_seconds()))

    def hear(self, delivery: Delivery) -> None:
        """How a delivery stands that another replica is to send, or has sent.

        It may have been ours before: who stands still for too long is taken for dead.
        """
        key, lane = delivery.group_key, self._lanes.get(delivery.hook)
        was_owed = lane is not None and lane.drop(delivery)
        if delivery.state is DeliveryState.PENDING:
            self._elsewhere[key] = delivery
            return
        if key in self._elsewhere and self._elsewhere[key].id == delivery.id:
            del self._elsewhere[key]
            was_owed = True
        if was_owed:
            self._announce(key)

    def switch_all(self, switched_off: Collection[str]) -> None:
        """Exactly these hooks are told nothing, whichever replica switched them."""
        self._switched_off = set(switched_off)
        for name, lane in self._lanes.items():
            if lane.is_on is (name in self._switched_off):
                lane.switch(is_on=name not in self._switched_off)

    def switch_on(self, hook: str) -> None:
        """Tell a hook again what it is owed, after the ledger knows.

        Raises:
            KeyError: there is no such hook.
        """
        self._lanes[hook].switch(is_on=True)
        self._switched_off.discard(hook)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with the key of every group whose delivery is settled."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """Deliver until cancelled; then what is under way has a few seconds to end."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for lane in (*self._lanes.values(), *self._closed):
                self._start(lane)
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _start(self, lane: Lane) -> None:
        if self._group:  # else `run` does so
            self._group.create_task(self._serve(lane), name=f"deliveries of {lane.hook.name}")

    async def _serve(self, lane: Lane) -> None:
        async with Crew(IN_HAND) as crew:
            while await crew.place() and (parcel := await lane.take()):
                name = f"delivery {parcel.delivery.id}"
                crew.begin(self._handle(lane, parcel), name=name)
        self._closed.remove(lane)

    async def _handle(self, lane: Lane, parcel: Parcel) -> None:
        try:
            if parcel.outcome is None and lane.is_closed:
                parcel = abandoned(parcel.delivery, now=self._now())
            elif parcel.outcome is None:
                claimed = replace(parcel.delivery, attempts=parcel.delivery.attempts + 1)
                await self._ledger.settle(claimed)
                async with lane.places:
                    if not lane.is_free:
                        lane.put_back(parcel, delay_seconds=0.0)
                        return
                    parcel = await self._sender.attempt(lane, claimed)
            await self._settle(lane, parcel)
        except SupersededError:
            lane.finish(parcel)  # where it stands is news
            self._announce(parcel.delivery.group_key)
        except Exception as error:  # noqa: BLE001 # whatever the ledger raises; it is logged
            _log.warning("delivery %s waits for the ledger: %r", parcel.delivery.id, error)
            lane.put_back(parcel, delay_seconds=LEDGER_PAUSE_SECONDS)

    async def _settle(self, lane: Lane, parcel: Parcel) -> None:
        """Write what became of an attempt, then tell it and go on. Raises what the ledger does."""
        delivery, outcome = parcel.delivery, parcel.outcome
        if isinstance(outcome, DeliveryDead) and outcome.death is DeathReason.GONE:
            lane.switch(is_on=False)
            self._switched_off.add(delivery.hook)
            await self._ledger.switch_off(delivery.hook, outcome.message)
        await self._ledger.settle(delivery)
        if outcome:
            self._emit(outcome)
        if delivery.state is DeliveryState.PENDING:
            wait = delivery.next_at - self._now()
            delay = 0.0 if lane.is_closed else max(0.0, wait.total_seconds())
            lane.put_back(Parcel(delivery), delay_seconds=delay)
            return
        lane.finish(parcel)
        self._announce(delivery.group_key)

    def _announce(self, group_key: str) -> None:
        for listener in self._listeners:
            listener(group_key)
