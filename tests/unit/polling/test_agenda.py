from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.polling.agenda import Agenda, phase
from tests.unit.polling.fakes import START, make_project

MINUTE = timedelta(minutes=1)


def slot_names(agenda: Agenda, now: datetime) -> list[str]:
    return [slot.project.name for slot in agenda.due(now)]


@given(st.text(max_size=50), st.timedeltas(timedelta(seconds=1), timedelta(days=30)))
def test_a_phase_lies_within_its_interval_and_never_changes(name: str, interval: timedelta) -> None:
    assert timedelta(0) <= phase(name, interval) < interval
    assert phase(name, interval) == phase(name, interval)


def test_the_phase_of_a_name_is_the_same_in_every_release() -> None:
    assert phase("payments", MINUTE).total_seconds() == 34.642305


def test_phases_are_spread_over_the_interval() -> None:
    tenths = [int(phase(f"p{n}", MINUTE) / MINUTE * 10) for n in range(1000)]
    assert all(60 < tenths.count(tenth) < 140 for tenth in range(10))


def test_a_project_that_joins_is_due_at_once_and_then_on_its_grid() -> None:
    agenda = Agenda()
    agenda.replace([make_project()], START)
    assert [slot.at for slot in agenda.due(START)] == [START]
    on_grid = agenda.next_slots()["payments"]
    assert START + MINUTE / 2 <= on_grid < START + 1.5 * MINUTE
    offset = timedelta(seconds=on_grid.timestamp() % 60) - phase("payments", MINUTE)
    assert abs(offset) < timedelta(milliseconds=1)
    assert agenda.due(on_grid - timedelta(milliseconds=1)) == []
    assert slot_names(agenda, on_grid) == ["payments"]
    assert agenda.next_slots()["payments"] == on_grid + MINUTE


def test_what_is_due_next_is_known_while_projects_come_and_go() -> None:
    agenda = Agenda()
    assert agenda.next_due() is None
    agenda.replace([make_project("a"), make_project("b")], START)
    assert agenda.next_due() == START
    agenda.due(START)
    first, second = sorted(agenda.next_slots().items(), key=lambda item: item[1])
    assert agenda.next_due() == first[1]
    agenda.replace([make_project(second[0])], START)
    assert agenda.next_due() == second[1]
    agenda.replace([], START)
    assert agenda.next_due() is None


@pytest.mark.parametrize(
    ("intervals", "pause_seconds"),
    [
        ([], 0.5),
        ([1], 0.5),
        ([20], 20 / 30),
        ([30, 3600], 1),
        ([30] * 1_000, 1),
        ([5] * 1_000, 0.5),
        ([30] * 4_000, 0.75),
        ([30] * 10_000, 0.5),
        ([3600] * 10_000 + [5], 0.5),
    ],
)
def test_polls_are_let_come_due_for_longer_where_few_do_and_seldom(
    intervals: list[int], pause_seconds: float
) -> None:
    agenda = Agenda()
    agenda.replace(
        [
            make_project(f"p{number}", poll_interval=timedelta(seconds=interval))
            for number, interval in enumerate(intervals)
        ],
        START,
    )
    assert agenda.pause().total_seconds() == pytest.approx(pause_seconds)


def test_slots_that_passed_unseen_are_one_slot_that_counts_the_missed_ones() -> None:
    agenda = Agenda()
    agenda.replace([make_project()], START)
    agenda.due(START)
    first = agenda.next_slots()["payments"]
    (slot,) = agenda.due(first + 3 * MINUTE + timedelta(seconds=1))
    assert slot.at == first + 3 * MINUTE
    assert slot.missed == 3


def test_a_clock_that_jumps_ten_years_costs_one_slot() -> None:
    agenda = Agenda()
    agenda.replace([make_project(poll_interval=timedelta(seconds=1))], START)
    agenda.due(START)
    (slot,) = agenda.due(START + timedelta(days=3650))
    assert slot.missed > 300_000_000
    assert agenda.due(START + timedelta(days=3650)) == []


def test_after_a_step_back_every_project_is_due_within_one_interval() -> None:
    agenda = Agenda()
    agenda.replace([make_project("a"), make_project("b")], START)
    agenda.due(START)
    past = START - timedelta(days=1)
    agenda.realign(past)
    assert agenda.due(past) == []
    assert sorted(slot_names(agenda, past + MINUTE)) == ["a", "b"]


def test_an_unchanged_project_keeps_its_slot_when_others_come_and_go() -> None:
    agenda = Agenda()
    agenda.replace([make_project("a"), make_project("b")], START)
    agenda.due(START)
    kept = agenda.next_slots()["a"]
    later = START + timedelta(milliseconds=1)
    agenda.replace([make_project("a", verify=True), make_project("c")], later)
    assert slot_names(agenda, later) == ["c"]
    assert agenda.next_slots()["a"] == kept
    slots = agenda.due(START + 2 * MINUTE)
    assert sorted(slot.project.name for slot in slots) == ["a", "c"]
    assert next(slot.project.verify for slot in slots if slot.project.name == "a")


def test_a_new_interval_gives_a_new_grid() -> None:
    agenda = Agenda()
    agenda.replace([make_project()], START)
    agenda.due(START)
    agenda.replace([make_project(poll_interval=timedelta(hours=1))], START)
    assert slot_names(agenda, START) == ["payments"]
    assert agenda.due(START + 2 * MINUTE) == [] or agenda.next_slots()["payments"] > START + MINUTE


@given(
    st.lists(st.integers(1, 100_000), min_size=1, max_size=40),
    st.integers(1, 600),
)
def test_no_grid_point_is_lost_or_taken_twice(steps_ms: list[int], interval_seconds: int) -> None:
    agenda = Agenda()
    project = make_project(poll_interval=timedelta(seconds=interval_seconds))
    now = START
    agenda.replace([project], now)
    agenda.due(now)
    first = agenda.next_slots()["payments"]
    taken = 0
    for step in steps_ms:
        now += timedelta(milliseconds=step)
        taken += sum(1 + slot.missed for slot in agenda.due(now))
    passed = 0 if now < first else 1 + int((now - first) / timedelta(seconds=interval_seconds))
    assert abs(taken - passed) <= (
        0 if abs((now - first).total_seconds() % interval_seconds) > 1e-3 else 1
    )


def test_ten_thousand_projects_are_planned_and_taken_quickly() -> None:
    agenda = Agenda()
    projects = [make_project(f"p{n}") for n in range(10_000)]
    agenda.replace(projects, START)
    assert len(agenda.due(START)) == 10_000
    assert len(agenda.due(START + 1.5 * MINUTE)) == 10_000
    assert len(agenda.next_slots()) == 10_000


def test_slots_are_aware_utc() -> None:
    agenda = Agenda()
    agenda.replace([make_project()], START)
    assert agenda.due(START)[0].at.tzinfo is UTC


def test_replicas_begin_with_the_same_grid_point_whenever_they_start() -> None:
    project = make_project("payments", poll_interval=MINUTE)
    for seconds in (0, 7, 34, 35, 59, 61):
        now = START + timedelta(seconds=seconds)
        agenda = Agenda(is_shared=True)
        agenda.replace([project], now)
        (slot,) = agenda.due(now)
        assert timedelta(0) <= now - slot.at < MINUTE
        assert slot.missed == 0
        since_epoch = slot.at - datetime(1970, 1, 1, tzinfo=UTC)
        assert abs(since_epoch % MINUTE - phase("payments", MINUTE)) < timedelta(milliseconds=1)
        assert agenda.next_slots()["payments"] - slot.at == MINUTE
