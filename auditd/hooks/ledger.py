"""What the delivery loops need of the store. It fulfils this shape without importing it."""

from __future__ import annotations

from typing import Protocol

from auditd.alerting.delivery import Delivery
from auditd.alerting.grouping import Group


class Ledger(Protocol):
    """Remembers what is owed. Each call is one transaction, and raises when nothing was stored."""

    async def record_flush(self, group: Group, delivery: Delivery | None) -> None:
        """A group after its flush, and what its hook is owed then. Without members it is over."""

    async def settle(self, delivery: Delivery) -> None:
        """How far a delivery is: claimed for an attempt, to be tried again, delivered or dead."""

    async def switch_off(self, hook: str, reason: str) -> None:
        """Nothing is sent to the hook until a person acts. Idempotent."""
