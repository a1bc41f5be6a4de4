"""A deliverer among fakes, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from auditd.alerting.delivery import Delivery
from auditd.alerting.events import (
    DeliveryEvent,
    SendFailure,
)
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.port import Message, RetryLaterError
from tests.unit.hooks.fakes import START, FakeHook, FakeLedger

DOWN = RetryLaterError(SendFailure.CONNECT, "hook 'ops': nobody there")


def now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def monotonic() -> float:
    return asyncio.get_running_loop().time()


EventT = TypeVar("EventT", bound=DeliveryEvent)


class World:
    """A deliverer among fakes."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.events: list[DeliveryEvent] = []
        self.random = Random(7)

    def deliverer(
        self, *hooks: FakeHook, pending: Iterable[Delivery] = (), off: Iterable[str] = ()
    ) -> Deliverer:
        return Deliverer(
            hooks,
            self.ledger,
            pending=pending,
            switched_off=tuple(off),
            external_url="",
            emit=self.events.append,
            now=now,
            monotonic=monotonic,
            random=self.random.random,
        )

    async def owe(self, deliverer: Deliverer, delivery: Delivery) -> None:
        at = now()
        delivery = replace(delivery, created_at=at, next_at=at)
        self.ledger.deliveries[delivery.id] = delivery
        deliverer.accept(delivery)

    def of(self, kind: type[EventT]) -> list[EventT]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def running(deliverer: Deliverer) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(deliverer.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def down_until(seconds: float) -> Callable[[Message], None]:
    def behave(_: Message) -> None:
        if monotonic() < seconds:
            raise DOWN

    return behave
