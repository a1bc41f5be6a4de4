"""Answers for alerts, silences and deliveries: what the API asks is done on board and store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.matcher import Matcher
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.daemon.alarms import Alarms
from auditd.daemon.watch import utc_now
from auditd.store.errors import StoreConflictError, StoreReadError, StoreWriteError
from auditd.store.store import Store
from auditd.web.feed import ALERTS, DELIVERIES
from auditd.web.office import HookStanding, UnavailableError


class Office:
    """See web's AlertOffice. What is changed is written first and then published.

    `on_change` is told of what people changed: `alerts` or `deliveries`.
    """

    def __init__(
        self, alarms: Alarms, store: Store, *, on_change: Callable[[str], None] = lambda _: None
    ) -> None:
        self._alarms = alarms
        self._store = store
        self._on_change = on_change

    def known(self, project: str | None = None) -> Collection[Alert]:
        """See AlertOffice."""
        board = self._alarms.board
        return board.alerts.values() if project is None else board.alerts_of(project)

    def suppression(self, alert: Alert) -> str:
        """See AlertOffice."""
        if alert.state is not AlertState.FIRING:
            return ""
        reasons = self._alarms.board.suppressions(alert, utc_now())
        return ", ".join(sorted({suppression.value for _, suppression in reasons}))

    def silences(self) -> tuple[Silence, ...]:
        """See AlertOffice."""
        return self._alarms.board.hush.silences

    async def create_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        comment: str,
    ) -> Silence:
        """See AlertOffice."""
        silence = Silence(uuid4().hex, matchers, starts_at, ends_at, author, comment)
        async with self._alarms.board.lock:
            with said_plainly():
                await self._store.put_silence(silence)
            self._alarms.board.publish_silence(silence)
        self._on_change(ALERTS)
        return silence

    async def expire_silence(self, silence_id: str, author: str) -> None:
        """See AlertOffice."""
        known = {silence.id: silence for silence in self.silences()}
        now = utc_now()
        if silence_id not in known or known[silence_id].ends_at <= now:
            msg = f"there is no silence {silence_id} that has not ended"
            raise LookupError(msg)
        async with self._alarms.board.lock:
            with said_plainly():
                await self._store.expire_silence(silence_id, author)
            self._alarms.board.forget_silence(silence_id)
        self._on_change(ALERTS)

    async def acknowledge(self, fingerprint: str, author: str, comment: str) -> None:
        """See AlertOffice."""
        async with self._alarms.board.lock:
            alert = self._alarms.board.alerts.get(fingerprint)
            if alert is None:
                msg = f"there is no alert {fingerprint}"
                raise LookupError(msg)
            if alert.state is not AlertState.FIRING or alert.fired_at is None:
                msg = f"alert {fingerprint} is {alert.state}; only one that fires is acknowledged"
                raise ValueError(msg)
            known = Acknowledgement(fingerprint, alert.fired_at, utc_now(), author, comment)
            with said_plainly():
                await self._store.acknowledge(known)
            self._alarms.board.publish_acknowledgement(known)
        self._on_change(ALERTS)

    async def deliveries(
        self, state: DeliveryState | None, hook: str | None, limit: int, before: str | None
    ) -> Sequence[Delivery]:
        """See AlertOffice."""
        with said_plainly():
            return await self._store.deliveries(state=state, hook=hook, limit=limit, before=before)

    async def delivery(self, delivery_id: str) -> Delivery:
        """See AlertOffice."""
        with said_plainly():
            delivery = await self._store.delivery(delivery_id)
        if delivery is None:
            msg = f"there is no delivery {delivery_id}"
            raise LookupError(msg)
        return delivery

    async def replay(self, delivery_id: str) -> Delivery:
        """See AlertOffice. A hook that was switched off is switched on again."""
        hook = (await self.delivery(delivery_id)).hook
        async with self._alarms.board.lock:
            if hook not in self._alarms.hook_names:
                msg = f"hook {hook!r} is not configured any more, so nothing can be sent to it"
                raise ValueError(msg)
            with said_plainly():
                delivery = await self._store.replay(delivery_id)
            await self._switch_on(hook)
            self._alarms.deliverer.accept(delivery)
        self._alarms.dead.subtract(Counter({hook: 1}))
        self._on_change(DELIVERIES)
        return delivery

    async def hooks(self) -> Sequence[HookStanding]:
        """See AlertOffice."""
        with said_plainly():
            off = await self._store.switched_off()
        pending = Counter(delivery.hook for delivery in self._alarms.deliverer.pending)
        return [
            HookStanding(name, kind, off.get(name, ""), pending[name], self._alarms.dead[name])
            for name, kind in self._alarms.hook_kinds.items()
        ]

    async def enable_hook(self, name: str) -> None:
        """See AlertOffice."""
        if name not in self._alarms.hook_names:
            msg = f"there is no hook {name!r}"
            raise LookupError(msg)
        async with self._alarms.board.lock:
            await self._switch_on(name)
        self._on_change(DELIVERIES)

    async def _switch_on(self, hook: str) -> None:
        """Under the board's lock."""
        if hook in self._alarms.deliverer.switched_off:
            with said_plainly():
                await self._store.switch_on(hook)
            self._alarms.deliverer.switch_on(hook)
            self._alarms.flusher.realign()


@contextmanager
def said_plainly() -> Iterator[None]:
    """What the store raises, as the API expects it."""
    try:
        yield
    except StoreConflictError as error:
        raise ValueError(str(error)) from error
    except (StoreReadError, StoreWriteError) as error:
        raise UnavailableError(str(error)) from error
