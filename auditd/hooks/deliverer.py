"""Brings hooks what they are owed: claim, send, settle."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.events import DeliveryDead, Emit, SendFailure
from auditd.alerting.retry import DeathReason
from auditd.hooks.endurance import see_through
from auditd.hooks.lane import Lane, Parcel
from auditd.hooks.ledger import Ledger
from auditd.hooks.outcome import abandoned, delivered, failed
from auditd.hooks.port import Hook, HookError, Message, RetryLaterError
from auditd.hooks.removed import RemovedHook

SENDERS = 16
"""Messages under way to one hook, each of another group."""

HANG_SECONDS = 300.0
"""More than any kind of hook allows itself; what takes longer is a defect of the kind."""

LEDGER_PAUSE_SECONDS = 5.0
"""How long to wait after the ledger could not be written."""

_LONGEST_DELAY = timedelta(hours=4)
"""The longest that the retry schedule gives; more, after a restart, is a clock that was set."""

_LONGEST_HOLD_SECONDS = 3600.0

_log = logging.getLogger(__name__)


class Deliverer:
    """Delivers at least once, and for each group in order.

    Each hook has senders of its own, so that none waits for another. An attempt is claimed in the
    ledger first: when that cannot be written, nothing is sent. What became of an attempt is
    written before anything else happens to the delivery, so it is repeated only across a crash.

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
        self._external_url = external_url
        self._emit = emit
        self._now = now
        self._monotonic = monotonic
        self._random = random
        self._listeners: list[Callable[[str], None]] = []
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
        return tuple(item for lane in lanes for item in lane.deliveries)

    @property
    def switched_off(self) -> frozenset[str]:
        """The names of hooks that are told nothing."""
        return frozenset(name for name, lane in self._lanes.items() if not lane.is_on)

    def is_pending(self, hook: str, group_key: str) -> bool:
        """Whether the hook is still owed something of the group."""
        lanes = [lane for lane in self._closed if lane.hook.name == hook]
        if hook in self._lanes:
            lanes.append(self._lanes[hook])
        return any(lane.has(group_key) for lane in lanes)

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
        delay = min(delivery.next_at - self._now(), _LONGEST_DELAY)
        self._lanes[delivery.hook].accept(delivery, delay_seconds=max(0.0, delay.total_seconds()))

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
        if self._group is None:
            return  # then `run` does so
        for number in range(SENDERS):
            name = f"sender {number} of hook {lane.hook.name}"
            self._group.create_task(self._serve(lane), name=name)

    async def _serve(self, lane: Lane) -> None:
        while parcel := await lane.take():
            name = f"delivery {parcel.delivery.id}"
            await see_through(self._handle(lane, parcel), name=name)
        if lane in self._closed:
            self._closed.remove(lane)

    async def _handle(self, lane: Lane, parcel: Parcel) -> None:
        try:
            if parcel.outcome is None and lane.is_closed:
                parcel = abandoned(parcel.delivery, now=self._now())
            elif parcel.outcome is None:
                parcel = await self._attempt(lane, parcel.delivery)
            await self._settle(lane, parcel)
        except Exception as error:  # noqa: BLE001 # whatever the ledger raises; it is logged
            _log.warning("delivery %s waits for the ledger: %r", parcel.delivery.id, error)
            lane.put_back(parcel, delay_seconds=LEDGER_PAUSE_SECONDS)

    async def _attempt(self, lane: Lane, delivery: Delivery) -> Parcel:
        """Claim and send. Raises only what the ledger raises, and then nothing was sent."""
        claimed = replace(delivery, attempts=delivery.attempts + 1)
        await self._ledger.settle(claimed)
        began_at = self._monotonic()
        error = await self._send(lane.hook, claimed)
        now = self._now()
        if error is None:
            return delivered(claimed, duration_seconds=self._monotonic() - began_at, now=now)
        if error.retry_after_seconds:
            lane.hold(min(error.retry_after_seconds, _LONGEST_HOLD_SECONDS))
        return failed(claimed, error, random_fraction=self._random(), now=now)

    async def _send(self, hook: Hook, delivery: Delivery) -> HookError | None:
        message = Message(delivery.id, delivery.notification, delivery.attempts, self._external_url)
        try:
            async with asyncio.timeout(HANG_SECONDS):
                await hook.send(message)
        except HookError as error:
            return error
        except TimeoutError:
            msg = f"hook {hook.name!r}: it was still sending after {HANG_SECONDS:g} s"
            return RetryLaterError(SendFailure.TIMEOUT, msg)
        except Exception as error:  # noqa: BLE001 # a kind may raise anything; it is logged
            _log.exception("hook %s failed inside this program", hook.name)
            kind = type(error).__name__
            msg = f"hook {hook.name!r}: {kind} inside this program; please report it with its log"
            return RetryLaterError(SendFailure.INTERNAL, msg)
        return None

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
        for listener in self._listeners:
            listener(delivery.group_key)
