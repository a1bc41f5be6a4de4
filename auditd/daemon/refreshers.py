"""One refresher for each hook that is told the state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NoReturn

from auditd.alerting.alert import Alert
from auditd.alerting.route import RouteNode
from auditd.hooks.port import StateHook
from auditd.hooks.refresher import Claim, Refresher


class Refreshers:
    """Starts, keeps and ends them as the configuration has it.

    Args:
        alerts: gives all alerts.
        now: the wall clock.
    """

    def __init__(
        self, alerts: Callable[[], Iterable[Alert]], *, now: Callable[[], datetime]
    ) -> None:
        self._alerts = alerts
        self._now = now
        self._refreshers: dict[str, Refresher] = {}
        self._group: asyncio.TaskGroup | None = None
        self._claim: Claim | None = None
        self._tasks: dict[str, asyncio.Task[NoReturn]] = {}

    def share(self, claim: Claim) -> None:
        """Other replicas bring the same: each minute whoever claims it does."""
        self._claim = claim
        for refresher in self._refreshers.values():
            refresher.share(claim)

    def wake(self) -> None:
        """An alert fired or ended."""
        for refresher in self._refreshers.values():
            refresher.wake()

    def adopt(self, hooks: Iterable[StateHook], tree: RouteNode) -> None:
        """Have these hooks and routes from now on. One that was there before goes on."""
        former, self._refreshers = self._refreshers, {}
        for hook in hooks:
            refresher = former.get(hook.name)
            if refresher:
                refresher.adopt(hook, tree)
            else:
                refresher = Refresher(hook, self._alerts, tree, now=self._now)
                if self._claim:
                    refresher.share(self._claim)
            self._refreshers[hook.name] = refresher
        self._start_and_stop()

    async def run(self) -> None:
        """Refresh until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._start_and_stop()
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None

    def _start_and_stop(self) -> None:
        if self._group is None:
            return
        for name in self._tasks.keys() - self._refreshers.keys():
            self._tasks.pop(name).cancel()
        for name, refresher in self._refreshers.items():
            if name not in self._tasks:
                task = self._group.create_task(refresher.run(), name=f"refresher of hook {name}")
                self._tasks[name] = task
