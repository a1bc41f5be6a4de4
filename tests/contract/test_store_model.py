"""Any sequence of calls and restarts leaves a store as it would leave a few dictionaries.

So the same sequence leaves the same on every database, which the stores of one machine also show
call by call.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Attempt, AttemptOutcome, Delivery, DeliveryState
from auditd.alerting.grouping import Group
from auditd.alerting.life import Transition
from auditd.alerting.silence import Silence
from auditd.audit.history import HistoryEntry, changes, ending
from auditd.audit.snapshot import ProjectSnapshot
from auditd.store.errors import StoreConflictError
from auditd.store.store import Store
from tests.postgres import reset
from tests.unit.store.examples import (
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_silence,
    a_snapshot,
    an_alert,
    failed,
    fired,
    lines_of,
    opened_at,
    resolved,
    settled,
)

_T = TypeVar("_T")

PROJECTS = st.sampled_from(["p", "q"])
NAMES = st.sampled_from(["a", "b", "c"])
USERS = st.sampled_from(["u", "v"])
KEYS = st.sampled_from(["x", "y"])


class StoreMachine(RuleBasedStateMachine):
    """The model is what the daemon has in memory."""

    postgres: ClassVar[str | None] = None
    """The URL of the database on a server, if one is there."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.urls = [f"sqlite:///{self.directory / 'state.db'}"]
        if self.postgres:
            reset(self.postgres)
            self.urls.append(self.postgres)
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.snapshots: dict[str, ProjectSnapshot] = {}
        self.alerts: dict[str, dict[str, Alert]] = {}
        self.groups: dict[str, Group] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.silences: dict[str, Silence] = {}
        self.past: dict[str, list[HistoryEntry]] = {}
        self.entries = 0

    @initialize()
    def open(self) -> None:
        self.opened = AsyncExitStack()
        self.stores: list[Store] = []
        for url in self.urls:
            opening = self.opened.enter_async_context(opened_at(url, self.clock))
            self.stores.append(self.runner.run(opening))

    def run(self, work: Callable[[Store], Coroutine[Any, Any, _T]]) -> _T:
        """What each of the stores answers."""
        first, *others = [self.runner.run(work(store)) for store in self.stores]
        assert all(other == first for other in others)
        return first

    def refused(self, work: Callable[[Store], Coroutine[Any, Any, Any]]) -> bool:
        async def attempt(store: Store) -> bool:
            try:
                await work(store)
            except StoreConflictError:
                return True
            return False

        return self.run(attempt)

    @rule(project=PROJECTS, seen=st.sets(NAMES), user=USERS)
    def poll(self, project: str, seen: set[str], user: str) -> None:
        self.run(self.polled(project, seen, user))

    @rule(polls=st.lists(st.tuples(PROJECTS, st.sets(NAMES), USERS), min_size=2, max_size=5))
    def poll_at_once(self, polls: list[tuple[str, set[str], str]]) -> None:
        calls = [self.polled(*poll) for poll in polls]

        async def call(store: Store) -> None:
            await asyncio.gather(*(each(store) for each in calls))

        self.run(call)

    def polled(
        self, project: str, seen: set[str], user: str
    ) -> Callable[[Store], Coroutine[Any, Any, None]]:
        now = self.clock.move(timedelta(minutes=1))
        standing = [an_alert(project, name, at=now) for name in sorted(seen)]
        known = self.alerts.get(project, {})
        after = {alert.fingerprint: alert for alert in standing}
        transitions = [fired(alert) for alert in standing if alert.fingerprint not in known]
        groups = [a_group(project, *after)]
        return self.recorded(a_snapshot(project, at=now, user=user), after, transitions, groups)

    @rule(project=PROJECTS)
    def poll_in_vain(self, project: str) -> None:
        now = self.clock.move(timedelta(minutes=1))
        before = self.snapshots.get(project, ProjectSnapshot(a_project(project)))
        alerts = self.alerts.get(project, {})
        self.run(self.recorded(failed(before, now), alerts, [], []))

    def recorded(
        self,
        snapshot: ProjectSnapshot,
        alerts: dict[str, Alert],
        transitions: list[Transition],
        groups: list[Group],
    ) -> Callable[[Store], Coroutine[Any, Any, None]]:
        """The call, once it is in the model."""
        project = snapshot.project.name
        past = self.past.setdefault(project, [])
        past.extend(changes(self.snapshots.get(project), snapshot))
        self.snapshots[project] = snapshot
        self.alerts[project] = alerts
        self.entries += len(transitions)
        self.keep(*groups)
        return lambda store: store.record_poll(snapshot, alerts.values(), transitions, groups)

    def keep(self, *groups: Group) -> None:
        for group in groups:
            self.groups[group.key] = group
            if not group.members:
                del self.groups[group.key]

    @rule(project=PROJECTS, are_told=st.booleans())
    def leave(self, project: str, *, are_told: bool) -> None:
        left = [] if are_told else [*self.alerts.get(project, {}).values()]
        ended = [resolved(alert, self.clock()) for alert in left]
        self.run(lambda store: store.forget_project(project, ended))
        self.snapshots.pop(project, None)
        self.alerts[project] = {alert.fingerprint: alert for alert in ended}
        past = self.past.get(project, [])
        standing = {(entry.authorization, bool(entry.finding)): entry for entry in past}
        endings = [ending(entry, self.clock()) for entry in past if entry in standing.values()]
        past.extend(each for each in endings if each)

    @rule(key=KEYS, members=st.sets(NAMES), is_news=st.booleans())
    def flush(self, key: str, members: set[str], *, is_news: bool) -> None:
        group = a_group(key, *members)
        delivery = a_delivery(f"d{len(self.deliveries)}", key) if is_news else None
        is_busy = delivery is not None and any(
            other.group_key == key and other.state is DeliveryState.PENDING
            for other in self.deliveries.values()
        )
        assert self.refused(lambda store: store.record_flush(group, delivery)) == is_busy
        if not is_busy:
            self.keep(group)
            if delivery:
                self.deliveries[delivery.id] = delivery

    @precondition(lambda self: self.deliveries)
    @rule(data=st.data(), state=st.sampled_from(DeliveryState))
    def settle(self, data: st.DataObject, state: DeliveryState) -> None:
        delivery = self.deliveries[data.draw(st.sampled_from(sorted(self.deliveries)))]
        after = settled(delivery, state, self.clock())
        if state is DeliveryState.PENDING:
            after = replace(after, settled_at=None)
        is_pending = delivery.state is DeliveryState.PENDING
        is_refused = not is_pending and state is not delivery.state
        assert self.refused(lambda store: store.settle(after)) == is_refused
        if is_pending:
            self.deliveries[delivery.id] = after
            self.entries += state is not DeliveryState.PENDING

    @precondition(lambda self: self.deliveries)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        dead = self.deliveries[data.draw(st.sampled_from(sorted(self.deliveries)))]
        others = (each for each in self.deliveries.values() if each.group_key == dead.group_key)
        is_busy = any(other.state is DeliveryState.PENDING for other in others)
        is_possible = dead.state is DeliveryState.DEAD and not is_busy
        assert self.refused(lambda store: store.replay(dead.id)) != is_possible
        if is_possible:
            now = self.clock()
            self.deliveries[dead.id] = replace(
                a_delivery(dead.id, dead.group_key),
                created_at=now,
                next_at=now,
                tried=(*dead.tried, Attempt(now, AttemptOutcome.REPLAYED)),
            )
            self.entries += 1

    @rule(name=NAMES, hours=st.integers(1, 3))
    def silence(self, name: str, hours: int) -> None:
        self.silences[name] = a_silence(name, hours)
        self.run(lambda store: store.put_silence(self.silences[name]))
        self.entries += 1

    @rule(name=NAMES)
    def expire(self, name: str) -> None:
        is_refused = self.refused(lambda store: store.expire_silence(name, "ada"))
        assert is_refused != (self.silences.pop(name, None) is not None)
        self.entries += not is_refused

    @rule()
    def restart(self) -> None:
        self.runner.run(self.opened.aclose())
        self.open()

    @invariant()
    def what_is_stored_is_what_is_known(self) -> None:
        self.run(lambda store: store.save())
        state = self.run(lambda store: store.load())
        assert set(state.snapshots) == set(self.snapshots)
        for name, snapshot in self.snapshots.items():
            assert state.snapshot_of(a_project(name)) == snapshot
        stored = {
            name: {alert.fingerprint: alert for alert in alerts}
            for name, alerts in state.alerts.items()
        }
        assert stored == {name: alerts for name, alerts in self.alerts.items() if alerts}
        assert state.groups == self.groups
        assert {
            each.id: each for each in self.run(lambda store: store.deliveries())
        } == self.deliveries
        pending = [each for each in self.deliveries.values() if each.state == "pending"]
        assert list(state.pending) == pending
        assert {each.id: each for each in state.silences} == self.silences
        verdict = self.run(lambda store: store.verify())
        assert (verdict.ok, verdict.checked) == (True, self.entries)
        for project, past in self.past.items():
            told = self.run(partial(Store.history, project=project, limit=1000))
            assert [replace(entry, seq=0) for entry in reversed(told)] == past
        self.run(lambda store: lines_of(store.export()))

    def teardown(self) -> None:
        self.runner.run(self.opened.aclose())
        self.runner.close()
        shutil.rmtree(self.directory)


class BothMachine(StoreMachine):
    """The same calls on a file and on a server."""


_SETTINGS = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
StoreMachine.TestCase.settings = _SETTINGS
BothMachine.TestCase.settings = _SETTINGS


@pytest.mark.timeout(60)
class TestStoreMachine(StoreMachine.TestCase):  # type: ignore[misc, valid-type]  # made at run time
    """Runs the machine."""


@pytest.mark.timeout(120)
class TestBothMachine(BothMachine.TestCase):  # type: ignore[misc, valid-type]  # likewise
    """Runs the machine with a server."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres: str) -> None:
        BothMachine.postgres = postgres
