"""What is asked of the store about deliveries, and about the hooks that get none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.store import outbox
from auditd.store.access import Access


class Deliveries(Access):
    """The part of the store that is about the outbox; see `Store` for what its methods raise."""

    async def settle(self, delivery: Delivery) -> None:
        """What became of an attempt at a pending delivery. Idempotent.

        Raises:
            StoreConflictError: there is no such pending delivery.
        """
        await self._write(partial(outbox.settle, delivery=delivery, now=self._now()))

    async def replay(self, delivery_id: str) -> Delivery:
        """Owe a dead delivery again: as of now, without attempts, with the same id.

        Raises:
            StoreConflictError: it is not dead, or its group has another pending one.
        """
        return await self._write(partial(outbox.replay, delivery_id=delivery_id, now=self._now()))

    async def delivery(self, delivery_id: str) -> Delivery | None:
        """The delivery with this id; None when there is none, or not any more."""
        return await self._read(partial(outbox.find, delivery_id=delivery_id))

    async def deliveries(
        self,
        *,
        state: DeliveryState | None = None,
        hook: str | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> tuple[Delivery, ...]:
        """The newest deliveries first. `before` is the id of the last one of the page before."""
        return await self._read(
            partial(outbox.newest, state=state, hook=hook, limit=limit, before=before)
        )

    async def switch_off(self, hook: str, reason: str) -> None:
        """Note why a hook gets nothing until a person switches it on. Idempotent."""
        await self._write(partial(outbox.switch_off, hook=hook, reason=reason, now=self._now()))

    async def switched_off(self) -> Mapping[str, str]:
        """Why hooks get nothing, by hook."""
        return await self._read(outbox.switched_off)

    async def switch_on(self, hook: str) -> None:
        """Let a hook get things again. Idempotent."""
        await self._write(partial(outbox.switch_on, hook=hook, now=self._now()))
