"""Board, desk and hooks out of settings and stored state: what tells people."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import uuid4

from auditd.alerting.alert_events import AlertEvent, EmitAlert
from auditd.alerting.delivery import DeliveryState
from auditd.alerting.events import Emit as EmitDelivery
from auditd.alerting.grouping import Group
from auditd.alerting.route import RouteNode
from auditd.alerting.rules import Rules
from auditd.alerting.superseded import SupersededError
from auditd.config.settings import Catalog, Settings
from auditd.daemon.alert_terms import policy_of, rules_of, tree_of
from auditd.daemon.hook_building import BuiltHook, BuiltHooks, build_hooks
from auditd.daemon.refreshers import Refreshers
from auditd.daemon.watch import utc_now
from auditd.hooks.board import Board
from auditd.hooks.deliverer import Deliverer
from auditd.hooks.desk import AlertDesk
from auditd.hooks.flusher import Flusher
from auditd.hooks.http import HttpClient
from auditd.hooks.port import Hook, Sign, StateHook, Surroundings
from auditd.hooks.process import run_process
from auditd.store.errors import StoreWriteError
from auditd.store.state import StoredState
from auditd.store.store import Store

MOST_DEAD = 10_000
"""Dead deliveries that are counted when the daemon starts."""


@dataclass(frozen=True, slots=True)
class AlarmsPlan:
    """What of a configuration had to be built before it can be used."""

    hooks: BuiltHooks
    tree: RouteNode
    rules: Rules

    @property
    def by_message(self) -> list[Hook]:
        """The hooks that are told what happens."""
        hooks = (built.hook for built in self.hooks.values())
        return [hook for hook in hooks if not isinstance(hook, StateHook)]

    @property
    def by_state(self) -> list[StateHook]:
        """The hooks that are told what is."""
        return [it.hook for it in self.hooks.values() if isinstance(it.hook, StateHook)]


class Alarms:
    """The parts that tell people, open while the context of `open_alarms` is.

    They outlive reloads. `dead` has how many deliveries of each hook are dead, and is to be kept
    by whoever hears of one.
    """

    def __init__(
        self,
        plan: AlarmsPlan,
        *,
        board: Board,
        desk: AlertDesk,
        deliverer: Deliverer,
        flusher: Flusher,
        refreshers: Refreshers,
        dead: Counter[str],
        prepare: Callable[[Settings, BuiltHooks], AlarmsPlan],
        store: Store,
    ) -> None:
        self.board = board
        self.desk = desk
        self.deliverer = deliverer
        self.flusher = flusher
        self.dead = dead
        self._refreshers = refreshers
        self._plan = plan
        self._prepare = prepare
        self._store = store

    @property
    def hook_names(self) -> Collection[str]:
        """Those of all hooks that are configured now."""
        return self._plan.hooks.keys()

    @property
    def hook_kinds(self) -> Mapping[str, str]:
        """Their kinds, by name."""
        return {name: built.hook.kind for name, built in self._plan.hooks.items()}

    @property
    def rules(self) -> Rules:
        """Those in use now."""
        return self._plan.rules

    def prepare(self, settings: Settings) -> AlarmsPlan:
        """Build what these settings need, and change nothing. Blocks; see `build_hooks`."""
        return self._prepare(settings, self._plan.hooks)

    async def regrouped(self, plan: AlarmsPlan) -> Mapping[str, Group]:
        """The groups under the routes of a plan, written down. The board's lock is held.

        A state that cannot be written keeps nobody from changing routes: whatever is not written
        is made again from the alerts when the daemon starts.
        """
        hooks = [hook.name for hook in plan.by_message]
        groups = await asyncio.to_thread(self.board.regrouped, plan.tree, hooks, utc_now())
        with suppress(StoreWriteError, SupersededError):  # readiness tells of the former
            await self._store.record_groups(groups.values())
        return groups

    def adopt(self, plan: AlarmsPlan, groups: Mapping[str, Group]) -> None:
        """Go by what was prepared from now on. The board's lock is held since `regrouped`."""
        self._plan = plan
        self.board.adopt(plan.tree, [hook.name for hook in plan.by_message], groups)
        self.desk.adopt(plan.rules)
        self.deliverer.adopt(plan.by_message)
        self._refreshers.adopt(plan.by_state, plan.tree)
        self.flusher.realign()

    def share(
        self,
        claim: Callable[[str, timedelta], Awaitable[bool]],
        catch_up: Callable[[], Awaitable[None]],
    ) -> None:
        """Other replicas tell of the same alerts.

        Args:
            claim: whether this one is to do what is done once in such an interval.
            catch_up: makes known what the others wrote.
        """
        self.desk.share(catch_up)
        self.flusher.share(catch_up)
        self._refreshers.share(claim)

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.desk.run(), name="departures")
            group.create_task(self.flusher.run(), name="flusher")
            group.create_task(self.deliverer.run(), name="deliverer")
            group.create_task(self._refreshers.run(), name="refreshers")


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
    async with HttpClient() as http:
        surroundings = Surroundings(
            http=http, now=utc_now, run_process=run_process, sign=sign, emit=emit_delivery
        )

        def prepare(settings: Settings, former: Mapping[str, BuiltHook]) -> AlarmsPlan:
            return plan_alarms(settings, catalog, surroundings, former=former)

        plan = await asyncio.to_thread(prepare, settings, {})
        board = Board(
            plan.tree,
            hooks=[hook.name for hook in plan.by_message],
            alerts=state.alerts,
            groups=state.groups,
            silences=state.silences,
            acknowledgements=state.acknowledgements,
        )
        deliverer = Deliverer(
            plan.by_message,
            store,
            pending=() if store.replicas else state.pending,
            switched_off=state.switched_off,
            external_url=external_url,
            emit=emit_delivery,
            now=utc_now,
            monotonic=monotonic,
            random=random.SystemRandom().random,
        )
        for delivery in state.pending if store.replicas else ():
            deliverer.hear(delivery)  # it is for some replica to take over
        flusher = Flusher(
            board,
            store,
            deliverer,
            now=utc_now,
            monotonic=monotonic,
            new_id=lambda: f"msg_{uuid4().hex}",
        )
        refreshers = Refreshers(board.alerts.values, now=utc_now)

        def emit(event: AlertEvent) -> None:
            emit_alert(event)
            refreshers.wake()

        desk = AlertDesk(board, store, plan.rules, emit=emit, now=utc_now)
        dead = await store.deliveries(state=DeliveryState.DEAD, limit=MOST_DEAD)
        alarms = Alarms(
            plan,
            board=board,
            desk=desk,
            deliverer=deliverer,
            flusher=flusher,
            refreshers=refreshers,
            dead=Counter(delivery.hook for delivery in dead),
            prepare=prepare,
            store=store,
        )
        alarms.adopt(plan, await alarms.regrouped(plan))
        yield alarms, state


def plan_alarms(
    settings: Settings, catalog: Catalog, surroundings: Surroundings, *, former: BuiltHooks
) -> AlarmsPlan:
    """Build what telling needs. Blocks; see `build_hooks` for what it keeps and raises."""
    configured = settings.alerting.hooks if settings.alerting else ()
    return AlarmsPlan(
        hooks=build_hooks(configured, catalog, surroundings, former=former),
        tree=tree_of(settings),
        rules=rules_of(settings, policy_of(settings, catalog)),
    )
