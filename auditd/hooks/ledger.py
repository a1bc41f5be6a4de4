"""What this room needs of the store. It fulfils these shapes without importing them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.audit.snapshot import ProjectSnapshot


class Ledger(Protocol):
    """What the delivery loops need. Each call is one transaction, and raises when it was none."""

    async def record_flush(self, group: Group, delivery: Delivery | None) -> None:
        """A group after its flush, and what its hook is owed then. Without members it is over."""

    async def settle(self, delivery: Delivery) -> None:
        """How far a delivery is: claimed for an attempt, to be tried again, delivered or dead."""

    async def switch_off(self, hook: str, reason: str) -> None:
        """Nothing is sent to the hook until a person acts. Idempotent."""


class PollLedger(Protocol):
    """What the desk needs of the store. Each call is one transaction, or raises."""

    async def record_poll(
        self,
        snapshot: ProjectSnapshot,
        alerts: Iterable[Alert],
        transitions: Iterable[Transition],
        groups: Iterable[Group],
    ) -> None:
        """What a poll made of a project."""

    def record_times(self, snapshot: ProjectSnapshot, sighted_at: datetime | None) -> None:
        """When a project was polled that is as it was recorded last. Written within seconds.

        Returns at once, and raises nothing. `sighted_at` is the latest `last_seen_at` of its
        alerts; None when it has none.
        """

    async def forget_project(
        self, name: str, alerts: Iterable[Alert] = (), transitions: Iterable[Transition] = ()
    ) -> None:
        """A project left; only these alerts are kept, until their ends are told."""
