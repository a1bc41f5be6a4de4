from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from auditd.audit.events import DiscoveryRemoved, Event, PollFailed, PollFinished
from auditd.audit.failure import FailureReason
from auditd.audit.project import Project
from auditd.polling.freshness import LONGEST_LAG_SECONDS, Freshness, longest_gap_seconds
from tests.unit.polling.fakes import make_project

PROJECT = make_project("p0")  # every 60 s, with a timeout of 30 s
LIMIT = 180.0


def seen(project: str) -> Event:
    return PollFinished(project, 0.1, 0.0, 1, 0, (), is_news=False)


def failed(project: str) -> Event:
    return PollFailed(project, FailureReason.DNS, "no such host", 0.1, 0.0, 1)


class Bench:
    """Freshness, and the clock that it goes by."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.freshness = Freshness(lambda: self.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_the_longest_gap_leaves_a_poll_its_turn_and_its_timeouts() -> None:
    assert longest_gap_seconds(PROJECT) == LIMIT


@pytest.mark.parametrize("event", [seen("p0"), failed("p0")])
def test_a_project_is_fresh_for_its_longest_gap_and_not_longer(bench: Bench, event: Event) -> None:
    bench.freshness(event)
    bench.now += LIMIT
    assert bench.freshness.troubles([PROJECT]) == []
    bench.now += 0.001
    assert bench.freshness.troubles([PROJECT]) == [
        "not polled any more, for more than two intervals: p0"
    ]
    bench.freshness(event)
    assert bench.freshness.troubles([PROJECT]) == []


def test_that_a_reload_made_the_gap_shorter_is_seen_within_ten_seconds(bench: Bench) -> None:
    slow = make_project("p0", poll_interval=timedelta(hours=1))
    bench.freshness(seen("p0"))
    bench.now += 10 * LIMIT
    assert bench.freshness.troubles([slow]) == []
    bench.now += 10
    assert bench.freshness.troubles([PROJECT]) == [
        "not polled any more, for more than two intervals: p0"
    ]


def test_projects_are_looked_through_only_when_one_can_be_overdue(bench: Bench) -> None:
    looks = []

    def projects() -> Iterator[Project]:
        looks.append(bench.now)
        yield PROJECT

    bench.freshness(seen("p0"))
    began_at = bench.now
    for second in range(int(LIMIT) + 2):
        bench.now = began_at + second
        bench.freshness.troubles(projects())
    assert looks == [*range(1000, 1180, 10), 1180, 1181]


def test_each_project_has_its_own_gap(bench: Bench) -> None:
    slow = make_project("slow", poll_interval=timedelta(hours=1))
    bench.freshness(seen("p0"))
    bench.freshness(seen("slow"))
    bench.now += 3600
    assert bench.freshness.troubles([PROJECT, slow]) == [
        "not polled any more, for more than two intervals: p0"
    ]


def test_one_that_was_not_tried_yet_is_no_trouble_of_its_own(bench: Bench) -> None:
    assert bench.freshness.troubles([PROJECT]) == []


def test_one_that_has_left_and_comes_again_begins_anew(bench: Bench) -> None:
    bench.freshness(seen("p0"))
    bench.freshness(DiscoveryRemoved("iam/prod", "p0"))
    bench.now += 10 * LIMIT
    assert bench.freshness.troubles([PROJECT]) == []


def test_of_many_projects_three_are_named(bench: Bench) -> None:
    projects = [make_project(f"p{number}") for number in range(10_000)]
    for project in projects:
        bench.freshness(seen(project.name))
    bench.now += 2 * LIMIT
    assert bench.freshness.troubles(projects) == [
        "not polled any more, for more than two intervals: p0, p1, p2 and 9997 more"
    ]


def test_a_loop_that_is_late_is_trouble_until_it_is_not(bench: Bench) -> None:
    bench.freshness.loop_lag(LONGEST_LAG_SECONDS)
    assert bench.freshness.troubles([]) == []
    bench.freshness.loop_lag(LONGEST_LAG_SECONDS + 2)
    assert bench.freshness.troubles([]) == ["the event loop is 7 s late"]
    bench.freshness.loop_lag(0.0)
    assert bench.freshness.troubles([]) == []
