"""A flusher among fakes, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import count

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.grouping import Group
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.route import Route, RouteNode, build_tree
from auditd.hooks.board import Board
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.flusher import Flusher
from auditd.hooks.port import Message
from tests.unit.hooks.fakes import START, FakeHook, FakeLedger


def now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def tree(group_by: str = "project") -> RouteNode:
    return build_tree(
        Route(
            hook="ops",
            group_by=(group_by,),
            group_wait=timedelta(seconds=10),
            group_interval=timedelta(minutes=5),
            repeat_interval=timedelta(hours=4),
            routes=(Route(hook="am", matchers=(Matcher("project", Operator.EQUAL, "to-am"),)),),
        )
    )


class World:
    """Board, flusher and deliverer, joined as the daemon does it."""

    def __init__(
        self, hook: FakeHook, *, groups: Iterable[Group] = (), alerts: Iterable[Alert] = ()
    ) -> None:
        self.hook = hook
        self.ledger = FakeLedger()
        self.board = Board(
            tree(),
            hooks=["ops"],
            alerts={"payments": tuple(alerts)},
            groups={group.key: group for group in groups},
        )
        monotonic = asyncio.get_running_loop().time
        self.deliverer = Deliverer(
            [hook],
            self.ledger,
            pending=(),
            switched_off=(),
            external_url="",
            emit=lambda _: None,
            now=now,
            monotonic=monotonic,
            random=lambda: 0.5,
        )
        ids = count(1)
        self.flusher = Flusher(
            self.board,
            self.ledger,
            self.deliverer,
            now=now,
            monotonic=monotonic,
            new_id=lambda: f"msg_{next(ids)}",
        )

    async def poll(self, *alerts: Alert, project: str = "payments") -> None:
        """What a poll does once the alerts are known."""
        async with self.board.lock:
            firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
            groups = self.board.admit(firing, now())
            self.board.publish(project, alerts, groups.values())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(part.run()) for part in (self.flusher, self.deliverer)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    @property
    def told(self) -> list[list[str]]:
        return [names(message) for message in self.hook.taken]


def names(message: Message) -> list[str]:
    return [
        f"{alert.labels['authorization']}:{alert.status}" for alert in message.notification.alerts
    ]
