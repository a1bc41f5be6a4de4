"""Board, desk and hooks out of settings and stored state: what tells people."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from time import monotonic
from uuid import uuid4

from auditd.alerting.alert import AlertState
from auditd.alerting.alert_events import AlertEvent, EmitAlert
from auditd.alerting.delivery import DeliveryState
from auditd.alerting.events import Emit as EmitDelivery
from auditd.alerting.grouping import Group, regroup
from auditd.alerting.route import Route, RouteNode, build_tree
from auditd.alerting.rules import CheckRule, Rules
from auditd.audit.run import Policy
from auditd.config.alerting import HookSettings
from auditd.config.settings import Catalog, Settings
from auditd.daemon.watch import UnusableSettingError, policy_of, utc_now
from auditd.hooks.board import Board
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.desk import AlertDesk
from auditd.hooks.flusher import Flusher
from auditd.hooks.http import HttpClient
from auditd.hooks.port import Hook, Sign, StateHook, Surroundings
from auditd.hooks.process import run_process
from auditd.hooks.refresher import Refresher
from auditd.store.state import StoredState
from auditd.store.store import Store

MOST_DEAD = 10_000
"""Dead deliveries that are counted when the daemon starts."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """The parts that tell people, open while the context of `open_alarms` is."""

    board: Board
    desk: AlertDesk
    deliverer: Deliverer
    flusher: Flusher
    refreshers: Sequence[Refresher]
    hook_names: Sequence[str]
    dead: Counter[str]
    """Hook -> how many of its deliveries are dead, to be kept by whoever hears of one."""

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.desk.run(), name="departures")
            group.create_task(self.flusher.run(), name="flusher")
            group.create_task(self.deliverer.run(), name="deliverer")
            for refresher in self.refreshers:
                group.create_task(refresher.run(), name="refresher")


@asynccontextmanager
async def open_alarms(
    settings: Settings,
    catalog: Catalog,
    store: Store,
    *,
    sign: Sign,
    emit_alert: EmitAlert,
    emit_delivery: EmitDelivery,
    external_url: str,
) -> AsyncIterator[tuple[Alarms, StoredState]]:
    """Build the parts that tell people, on what was stored, and close what they opened.

    Raises:
        UnusableSettingError: a hook cannot be built; the message names it.
    """
    state = await store.load()
    tree = _tree(settings)
    async with HttpClient(ssl.create_default_context()) as http:
        surroundings = Surroundings(
            http=http, now=utc_now, run_process=run_process, sign=sign, emit=emit_delivery
        )
        configured = settings.alerting.hooks if settings.alerting else ()
        hooks = [build_hook(given, catalog, surroundings) for given in configured]
        by_message = [hook for hook in hooks if not isinstance(hook, StateHook)]
        board = Board(
            tree,
            hooks=[hook.name for hook in by_message],
            alerts=state.alerts,
            groups=await _regrouped(state, tree, store),
            silences=state.silences,
            acknowledgements=state.acknowledgements,
        )
        deliverer = Deliverer(
            by_message,
            store,
            pending=state.pending,
            switched_off=state.switched_off,
            external_url=external_url,
            emit=emit_delivery,
            now=utc_now,
            monotonic=monotonic,
            random=random.SystemRandom().random,
        )
        flusher = Flusher(
            board,
            store,
            deliverer,
            now=utc_now,
            monotonic=monotonic,
            new_id=lambda: f"msg_{uuid4().hex}",
        )
        refreshers = [
            Refresher(hook, board.alerts.values, tree, now=utc_now)
            for hook in hooks
            if isinstance(hook, StateHook)
        ]

        def emit(event: AlertEvent) -> None:
            emit_alert(event)
            for refresher in refreshers:
                refresher.wake()

        rules = _rules(settings, policy_of(settings, catalog))
        desk = AlertDesk(board, store, rules, emit=emit, now=utc_now)
        dead = await store.deliveries(state=DeliveryState.DEAD, limit=MOST_DEAD)
        yield (
            Alarms(
                board=board,
                desk=desk,
                deliverer=deliverer,
                flusher=flusher,
                refreshers=refreshers,
                hook_names=[hook.name for hook in hooks],
                dead=Counter(delivery.hook for delivery in dead),
            ),
            state,
        )


def _tree(settings: Settings) -> RouteNode:
    """The configured routes; without any, alerts live and go nowhere."""
    if settings.alerting is None:
        return build_tree(Route(hook=""))
    return build_tree(settings.alerting.route, settings.alerting.time_intervals)


def build_hook(
    given: HookSettings, catalog: Catalog, surroundings: Surroundings
) -> Hook | StateHook:
    """A hook as it is configured. It may read files.

    Raises:
        UnusableSettingError: it cannot be built; the message names it.
    """
    try:
        hook: Hook | StateHook = catalog.hooks[given.type].build(
            given.name, given.options, surroundings
        )
    except (OSError, ValueError) as error:
        msg = f"hook {given.name!r}: {error}"
        raise UnusableSettingError(msg) from error
    return hook


async def _regrouped(state: StoredState, tree: RouteNode, store: Store) -> Mapping[str, Group]:
    """The stored groups under the routes of today, which may differ from yesterday's."""
    firing = [
        alert
        for alerts in state.alerts.values()
        for alert in alerts
        if alert.state is AlertState.FIRING
    ]
    groups = regroup(state.groups, firing, tree, utc_now())
    await store.record_groups(groups.values())
    return groups


def _rules(settings: Settings, policy: Policy) -> Rules:
    alerting = settings.alerting
    checks = {
        check.name: CheckRule(
            description=check.description,
            for_=settings.checks[check.name].for_,
            keep_firing_for=settings.checks[check.name].keep_firing_for,
        )
        for check in policy.checks
    }
    rules = Rules(
        checks=checks, labels=settings.global_.labels, accepted=tuple(settings.exceptions)
    )
    if alerting is None:
        return rules
    return replace(rules, runbook_url=alerting.runbook_url, console_url=alerting.console_url)
