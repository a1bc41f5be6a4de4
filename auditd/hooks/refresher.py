"""Tells a hook that is told the state: every minute, and soon after a change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NoReturn, TypeAlias

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.annotations import annotate
from auditd.alerting.notification import NotifiedAlert, NotifiedStatus
from auditd.alerting.route import RouteNode
from auditd.hooks.port import StateHook

INTERVAL_SECONDS = 60.0
GATHER_SECONDS = 0.2
"""How long a change waits for others that come with it."""

RESOLVED_FOR = timedelta(minutes=15)
"""How long the end of an alert is told again."""


Claim: TypeAlias = Callable[[str, timedelta], Awaitable[bool]]
"""Whether it is for this process to do now what is done once in such an interval."""


class Refresher:
    """Brings one hook all alerts that are routed to it.

    What is silenced, muted or acknowledged here is told all the same: such a receiver has silences
    and inhibition of its own, and would take an alert that is left out for one that has ended.

    Args:
        hook: who is told.
        alerts: gives all alerts, whatever their state and route.
        tree: the routes.
        now: the wall clock.
    """

    def __init__(
        self,
        hook: StateHook,
        alerts: Callable[[], Iterable[Alert]],
        tree: RouteNode,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._hook = hook
        self._alerts = alerts
        self._tree = tree
        self._now = now
        self._changed = asyncio.Event()
        self._claim: Claim | None = None
        self._is_routed: dict[str, bool] = {}
        """By fingerprint, which stands for the labels that decide it."""

    def adopt(self, hook: StateHook, tree: RouteNode) -> None:
        """Tell by this hook and these routes from now on; soon, if they are others."""
        if (hook, tree) == (self._hook, self._tree):
            return
        self._hook = hook
        self._tree = tree
        self._is_routed.clear()
        self.wake()

    def share(self, claim: Claim) -> None:
        """Other replicas tell the same state: each minute whoever claims it does.

        What changed here is told from here as well.
        """
        self._claim = claim

    def wake(self) -> None:
        """An alert fired or ended: do not wait for the next minute."""
        self._changed.set()

    async def run(self) -> NoReturn:
        """Refresh until cancelled."""
        while True:
            if await self._is_ours_to_tell():
                now = self._now()
                await self._hook.refresh(self.state(now), now)
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._changed.wait()
                    await asyncio.sleep(GATHER_SECONDS)

    async def _is_ours_to_tell(self) -> bool:
        is_news = self._changed.is_set()
        self._changed.clear()
        if is_news or self._claim is None:
            return True
        return await self._claim(f"refresh {self._hook.name}", timedelta(seconds=INTERVAL_SECONDS))

    def state(self, now: datetime) -> tuple[NotifiedAlert, ...]:
        """What the hook is told at this instant: what fires, and what ended lately."""
        episodes = map(_last_episode, self._alerts())
        current = [alert for alert in episodes if alert and _is_current(alert, now)]
        state = tuple(_told(alert, now) for alert in current if self._is_ours(alert))
        fingerprints = {alert.fingerprint for alert in current}
        self._is_routed = {key: self._is_routed[key] for key in fingerprints}
        return state

    def _is_ours(self, alert: Alert) -> bool:
        is_ours = self._is_routed.get(alert.fingerprint)
        if is_ours is None:
            routes = self._tree.assign(alert.labels)
            is_ours = any(route.settings.hook == self._hook.name for route in routes)
            self._is_routed[alert.fingerprint] = is_ours
        return is_ours


def _last_episode(alert: Alert) -> Alert | None:
    """The alert as it fires or as it ended; None of one that never fired."""
    return alert if alert.state is AlertState.FIRING else alert.ended_episode


def _is_current(alert: Alert, now: datetime) -> bool:
    return alert.resolved_at is None or now - alert.resolved_at < RESOLVED_FOR


def _told(alert: Alert, now: datetime) -> NotifiedAlert:
    is_firing = alert.state is AlertState.FIRING
    return NotifiedAlert(
        fingerprint=alert.fingerprint,
        status=NotifiedStatus.FIRING if is_firing else NotifiedStatus.RESOLVED,
        labels=alert.labels,
        annotations=annotate(alert, now),
        starts_at=alert.fired_at or alert.active_at,
        ends_at=alert.resolved_at,
        end_reason=alert.end_reason,
    )
