from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from auditd.alerting.delivery import Delivery
from auditd.alerting.grouping import Group, Member
from auditd.alerting.route import Route, build_tree
from auditd.alerting.silence import Acknowledgement
from auditd.audit.snapshot import ProjectSnapshot
from auditd.daemon.replica_news import Newsroom
from auditd.hooks.board import Board
from auditd.polling.fleet import Fleet
from auditd.store.codec import Sight
from auditd.store.errors import StoreFault, StoreReadError
from auditd.store.news import News
from auditd.store.state import PollTimes, StoredSnapshot
from tests.unit.hooks.fakes import START, alert_of, delivery_of
from tests.unit.polling.fakes import make_project

LATER = START + timedelta(minutes=5)
TIMES = PollTimes(attempted_at=LATER, succeeded_at=LATER)
SIGHT = Sight(failure=None, failure_message="", is_listed=True, findings=(), verifications={})
STALE_AT = {"gh-main": LATER}
GROUP = Group("k", "r", "ops", {}, START, members={alert_of("a").fingerprint: Member()})


class FakeReplicas:
    """A database whose news is what the test says, once."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.news = News()
        self.is_away = False
        self.busy: Collection[str] = ()

    async def catch_up(self, busy: Collection[str]) -> News:
        assert self._board.lock.locked(), "somebody here may change what is read now"
        if self.is_away:
            raise StoreReadError(StoreFault.UNREACHABLE, "PostgreSQL on db")
        self.busy = busy
        news, self.news = self.news, News()
        return news


class FakePoller:
    """Remembers when others polled."""

    busy = frozenset({"busy"})

    def __init__(self) -> None:
        self.elsewhere: dict[str, datetime] = {}

    def recalled(self, snapshot: ProjectSnapshot) -> ProjectSnapshot:
        return replace(snapshot, stale_at=STALE_AT)

    def polled_elsewhere(self, project: str, at: datetime) -> None:
        self.elsewhere[project] = at


class FakeDeliverer:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[Delivery] = []
        self.switched_off: Collection[str] | None = None

    def hear(self, delivery: Delivery) -> None:
        self.heard.append(delivery)

    def switch_all(self, switched_off: Collection[str]) -> None:
        self.switched_off = frozenset(switched_off)


@dataclass
class FakeFlusher:
    """Remembers which groups it leaves to others that were not published yet."""

    board: Board
    realigned: int = 0

    def __post_init__(self) -> None:
        self.left: list[str] = []

    def yield_to_others(self, key: str) -> None:
        assert key not in self.board.groups, "it was planned before, as one of ours"
        self.left.append(key)

    def realign(self) -> None:
        self.realigned += 1


class Bench:
    """A newsroom on a real fleet and board."""

    def __init__(self) -> None:
        self.fleet = Fleet()
        self.fleet.join(make_project("payments"))
        tree = build_tree(Route(hook="ops"))
        self.board = Board(tree, hooks=["ops"], alerts={}, groups={})
        self.replicas = FakeReplicas(self.board)
        self.poller = FakePoller()
        self.deliverer = FakeDeliverer()
        self.flusher = FakeFlusher(self.board)
        self.noted = self.changes = 0
        self.polled: list[str] = []
        parts: Any = SimpleNamespace(
            fleet=self.fleet,
            poller=self.poller,
            board=self.board,
            deliverer=self.deliverer,
            flusher=self.flusher,
            note_polled=self._note,
        )
        self.newsroom = Newsroom(
            cast("Any", self.replicas),
            watch=parts,
            alarms=parts,
            scheduler=parts,
            on_polled=self.polled.append,
            on_changed=self._change,
        )

    def _note(self) -> None:
        self.noted += 1

    def _change(self) -> None:
        self.changes += 1

    async def hear(self, **news: Any) -> None:
        self.replicas.news = News(**news)
        await self.newsroom.catch_up()


@pytest.fixture
def bench() -> Bench:
    return Bench()


def stored(name: str = "payments", times: PollTimes = TIMES) -> StoredSnapshot:
    return StoredSnapshot(make_project(name).project_id, SIGHT, times)


async def test_a_poll_of_another_replica_is_known_as_if_it_were_ours(bench: Bench) -> None:
    alert = alert_of("a")
    await bench.hear(snapshots={"payments": stored()}, alerts={"payments": (alert,)})
    known = bench.fleet.get("payments")
    assert known
    assert (known.attempted_at, known.succeeded_at) == (LATER, LATER)
    assert known.stale_at == STALE_AT, "which is not stored"
    assert bench.board.alerts_of("payments") == (alert,)
    assert bench.poller.elsewhere == {"payments": LATER}
    assert bench.polled == ["payments"]
    assert (bench.noted, bench.changes) == (1, 1)
    assert bench.fleet.untried == 0


async def test_what_is_being_written_here_is_left_for_the_next_time(bench: Bench) -> None:
    await bench.newsroom.catch_up()
    assert bench.replicas.busy == {"busy"}


async def test_no_news_wakes_nobody(bench: Bench) -> None:
    await bench.newsroom.catch_up()
    assert (bench.noted, bench.changes, bench.polled) == (0, 0, [])


async def test_a_project_that_is_not_polled_here_is_not_made_one(bench: Bench) -> None:
    await bench.hear(snapshots={"other": stored("other")}, times={"third": TIMES})
    assert [known.project.name for known in bench.fleet.snapshots()] == ["payments"]
    assert bench.polled == []


async def test_a_project_that_is_gone_elsewhere_has_no_alerts_here(bench: Bench) -> None:
    await bench.hear(snapshots={"payments": stored()}, alerts={"payments": (alert_of("a"),)})
    await bench.hear(snapshots={"payments": None})
    assert bench.board.alerts == {}
    assert bench.fleet.get("payments"), "it leaves when its source no longer has it"


async def test_a_poll_that_found_nothing_else_only_moves_the_times(bench: Bench) -> None:
    alert = alert_of("a")
    await bench.hear(snapshots={"payments": stored()}, alerts={"payments": (alert,)})
    again = LATER + timedelta(minutes=5)
    await bench.hear(times={"payments": PollTimes(again, again, sighted_at=again)})
    known = bench.fleet.get("payments")
    assert known
    assert known.succeeded_at == again
    assert bench.board.alerts_of("payments") == (replace(alert, last_seen_at=again),)
    assert bench.poller.elsewhere == {"payments": again}
    assert (bench.noted, bench.changes) == (2, 1)


async def test_a_poll_that_failed_again_says_nothing_of_when_alerts_were_seen(
    bench: Bench,
) -> None:
    alert = alert_of("a")
    await bench.hear(snapshots={"payments": stored()}, alerts={"payments": (alert,)})
    await bench.hear(times={"payments": PollTimes(LATER, START, failures_in_a_row=2)})
    known = bench.fleet.get("payments")
    assert known
    assert known.failures_in_a_row == 2
    assert bench.board.alerts_of("payments") == (alert,)


async def test_a_group_is_left_to_whoever_wrote_it_before_it_is_planned(bench: Bench) -> None:
    await bench.hear(groups={"k": GROUP})
    assert bench.board.groups == {"k": GROUP}
    assert bench.flusher.left == ["k"]
    await bench.hear(gone_groups=frozenset({"k"}))
    assert bench.board.groups == {}


async def test_what_people_said_is_replaced_only_when_it_changed(bench: Bench) -> None:
    alert = alert_of("a")
    told = {alert.fingerprint: Acknowledgement(alert.fingerprint, START, START, "me", "")}
    await bench.hear(silences=(), acknowledgements=told)
    await bench.hear(groups={"k": GROUP})
    assert bench.board.hush.acknowledgements == told
    await bench.hear(silences=(), acknowledgements={})
    assert bench.board.hush.acknowledgements == {}
    assert bench.changes == 3


async def test_deliveries_of_others_are_heard(bench: Bench) -> None:
    await bench.hear(deliveries=(delivery_of(1),))
    assert bench.deliverer.heard == [delivery_of(1)]
    assert bench.changes == 1


async def test_hooks_are_switched_as_elsewhere_and_groups_planned_anew(bench: Bench) -> None:
    await bench.newsroom.catch_up()
    assert (bench.deliverer.switched_off, bench.flusher.realigned) == (None, 0)
    await bench.hear(switched_off={"ops": "410"})
    assert (bench.deliverer.switched_off, bench.flusher.realigned) == ({"ops"}, 1)
    await bench.hear(switched_off={})
    assert (bench.deliverer.switched_off, bench.flusher.realigned) == (frozenset(), 2)


async def test_what_cannot_be_read_changes_nothing_and_holds_up_nobody(bench: Bench) -> None:
    bench.replicas.is_away = True
    with pytest.raises(StoreReadError):
        await bench.hear(snapshots={"payments": stored()})
    assert not bench.board.lock.locked()
    assert (bench.noted, bench.changes, bench.polled) == (0, 0, [])
    bench.replicas.is_away = False
    await bench.newsroom.catch_up()
    assert bench.polled == ["payments"]
