"""The judge finds what it is there for, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auditd.store.trail import TrailEntry, TrailKind
from auditd.store.verification import TrailVerdict
from tests.replicas.judge import Run, faults, longest_gap, repeats
from tests.replicas.record import Claim, Doing, Message, Request, Told, Trouble

INTERVAL = 2.0
START = 1_800_000_000.0
GRID = START + 1.2
"""When the first slot was claimed."""
LATENCY = 0.2
SLOTS = 12


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


FIRED, ENDED = at(5), at(9)
FIRING: Told = ("f", "firing", FIRED, None)
RESOLVED: Told = ("f", "resolved", FIRED, ENDED)


def entry(seq: int, kind: TrailKind, when: datetime) -> TrailEntry:
    return TrailEntry(seq=seq, at=when, kind=kind, subject="f", detail={}, hash="")


def message(seconds: float, id_: str, *alerts: Told) -> Message:
    return Message(START + seconds, "ops", id_, alerts)


def polls(slots: Sequence[int] = range(SLOTS)) -> list[Request]:
    return [Request(GRID + LATENCY + slot * INTERVAL, "p0") for slot in slots]


def claims(slots: Sequence[int] = range(SLOTS)) -> list[Claim]:
    return [Claim(GRID + slot * INTERVAL, "p0", f"slot {slot}") for slot in slots]


def a_run() -> Run:
    """One project, one hook, one alert, and nothing wrong."""
    return Run(
        interval_seconds=INTERVAL,
        wait_seconds=1.0,
        projects=frozenset({"p0"}),
        hooks=frozenset({"ops"}),
        began_at=START,
        ended_at=GRID + SLOTS * INTERVAL,
        claims=claims(),
        requests=polls(),
        messages=[message(6, "one", FIRING), message(10, "two", RESOLVED)],
        troubles=[],
        starts=[],
        doing=[],
        trail=[entry(1, TrailKind.ALERT_FIRED, FIRED), entry(2, TrailKind.ALERT_RESOLVED, ENDED)],
        verdict=TrailVerdict(ok=True, checked=2),
        owed=0,
    )


def trouble(since: float, until: float, *, is_total: bool = False) -> Trouble:
    return Trouble(START + since, START + until, is_total)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert faults(a_run()) == []


def test_a_broken_trail_is_found() -> None:
    bad = TrailVerdict(ok=False, checked=1, first_bad_seq=2, reason="is missing")
    assert faults(replace(a_run(), verdict=bad)) == ["the trail is missing"]


@pytest.mark.parametrize(
    ("missing", "is_found"), [({5}, False), ({5, 6}, True), ({0, 1}, True), ({10, 11}, True)]
)
def test_a_gap_of_more_than_two_intervals_is_found(*, missing: set[int], is_found: bool) -> None:
    run = replace(a_run(), requests=polls([slot for slot in range(SLOTS) if slot not in missing]))
    assert any("was not polled" in fault for fault in faults(run)) is is_found


def test_a_project_that_was_never_polled_is_found() -> None:
    run = replace(a_run(), projects=frozenset({"p0", "p1"}))
    (fault,) = faults(run)
    assert fault.startswith("p1 was not polled for ")


def test_a_gap_counts_only_the_time_in_which_somebody_could_poll() -> None:
    run = replace(a_run(), requests=polls([0, 1, 2, *range(7, SLOTS)]))
    assert longest_gap(run) == 10.0
    away = replace(run, troubles=[trouble(7, 14, is_total=True)])
    assert longest_gap(away) == 3.0
    one_of_two = replace(run, troubles=[trouble(7, 14)])
    assert longest_gap(one_of_two) == 10.0


@pytest.mark.parametrize("offset", [0.0, 0.1, 1.3])
def test_a_second_request_for_a_slot_is_found(offset: float) -> None:
    extra = Request(GRID + LATENCY + 5 * INTERVAL + offset, "p0")
    run = replace(a_run(), requests=sorted([*polls(), extra], key=lambda it: it.at))
    (fault,) = faults(run)
    assert fault.startswith("p0 was asked for once more at ")


def test_a_request_may_be_made_in_the_time_of_the_next_slot() -> None:
    late = Request(GRID + 6 * INTERVAL + 0.1, "p0")
    others = polls([slot for slot in range(SLOTS) if slot != 5])
    run = replace(a_run(), requests=sorted([*others, late], key=lambda it: it.at))
    assert faults(run) == []


def test_a_slot_without_a_request_excuses_no_other_one_but_in_trouble() -> None:
    lost = replace(a_run(), requests=polls([slot for slot in range(SLOTS) if slot != 4]))
    extra = Request(GRID + LATENCY + 8 * INTERVAL + 0.5, "p0")
    run = replace(lost, requests=sorted([*lost.requests, extra], key=lambda it: it.at))
    (fault,) = faults(run)
    assert fault.startswith("p0 was asked for once more at ")
    assert faults(replace(run, troubles=[trouble(10, 16)])) == []
    two = sorted([*run.requests, extra], key=lambda it: it.at)
    assert faults(replace(run, requests=two, troubles=[trouble(10, 16)])) == [fault]


def test_a_slot_that_was_claimed_twice_is_found() -> None:
    twice = sorted([*claims(), Claim(GRID + 5 * INTERVAL, "p0", "slot 4")], key=lambda it: it.at)
    assert faults(replace(a_run(), claims=twice)) == ["slot slot 4 of p0 was claimed 2 times"]


def test_what_is_still_owed_is_found() -> None:
    assert faults(replace(a_run(), owed=3)) == ["3 deliveries are still owed"]


def test_an_alert_that_nobody_was_told_of_is_found() -> None:
    run = replace(a_run(), messages=[])
    assert faults(run) == [f"ops was not told that f fired at {FIRED}"]


def test_an_alert_that_came_and_went_while_nobody_could_write_may_be_untold() -> None:
    run = replace(a_run(), messages=[])
    assert faults(replace(run, troubles=[trouble(6, 8.5, is_total=True)])) == []
    assert faults(replace(run, troubles=[trouble(6, 8.5)])) != []
    assert faults(replace(run, troubles=[trouble(10, 11, is_total=True)])) != []
    still = replace(run, troubles=[trouble(4, 9, is_total=True)], trail=run.trail[:1])
    assert faults(still) == [f"ops was not told that f fired at {FIRED}"]


@pytest.mark.parametrize(("seconds", "is_found"), [(2.9, False), (3.0, True)])
def test_an_alert_that_another_one_is_to_tell_of_is_due_a_little_later(
    *, seconds: float, is_found: bool
) -> None:
    ended = entry(2, TrailKind.ALERT_RESOLVED, FIRED + timedelta(seconds=seconds))
    run = replace(a_run(), messages=[], trail=[a_run().trail[0], ended])
    assert bool(faults(replace(run, starts=[trouble(4, 4.5)]))) is is_found
    assert bool(faults(replace(run, troubles=[trouble(4, 4.5)]))) is is_found
    assert faults(replace(run, starts=[trouble(1, 3)]))


@pytest.mark.parametrize(("seconds", "is_found"), [(1.9, False), (2.0, True)])
def test_an_alert_that_ended_before_its_group_was_due_may_be_untold(
    *, seconds: float, is_found: bool
) -> None:
    ended = entry(2, TrailKind.ALERT_RESOLVED, FIRED + timedelta(seconds=seconds))
    run = replace(a_run(), messages=[], trail=[a_run().trail[0], ended])
    assert bool(faults(run)) is is_found


def test_an_end_that_was_not_told_is_found_even_after_trouble() -> None:
    run = replace(a_run(), messages=a_run().messages[:1], troubles=[trouble(6, 7)])
    assert faults(run) == [f"ops was not told that f ended at {ENDED}"]


def test_each_hook_is_looked_at() -> None:
    run = replace(a_run(), hooks=frozenset({"ops", "pager"}))
    assert faults(run) == [f"pager was not told that f fired at {FIRED}"]


def test_an_event_with_two_ids_is_found() -> None:
    run = replace(a_run(), messages=[*a_run().messages, message(11, "three", RESOLVED)])
    (fault,) = faults(run)
    assert "as ['three', 'two']" in fault


def test_a_message_of_what_never_was_is_found() -> None:
    invented: Told = ("g", "firing", FIRED, None)
    run = replace(a_run(), messages=[*a_run().messages, message(11, "three", invented)])
    (fault,) = faults(run)
    assert "which is not in the trail" in fault


def test_another_order_is_found() -> None:
    run = replace(a_run(), messages=[message(6, "two", RESOLVED), message(7, "one", FIRING)])
    assert faults(run) == ["ops was told of f in another order"]


def test_a_repeat_needs_a_reason() -> None:
    again = [*a_run().messages, message(14, "two", RESOLVED)]
    run = replace(a_run(), messages=again)
    assert faults(run) == ["ops took two again without a reason"]
    assert repeats(run) == 1
    assert faults(replace(run, troubles=[trouble(12, 13)])) == []
    assert faults(replace(run, troubles=[trouble(3, 4)])) != []


def looks(*jobs: set[int]) -> list[Doing]:
    return [Doing(START + 10 * number, frozenset(its)) for number, its in enumerate(jobs)]


def test_a_job_that_nobody_does_any_more_is_found() -> None:
    others = ({1, 7}, {2, 7}, {7}, {7, 3})
    run = replace(a_run(), doing=looks(*others, {7}, set()))
    assert faults(run) == []  # for 40 s
    late = replace(run, doing=looks(*others, {7}, {7}, set()))
    assert faults(late) == ["job 7 was under way for 50 s"]
    assert faults(replace(late, troubles=[trouble(15, 28, is_total=True)])) == []


def test_a_job_of_a_dead_daemon_that_is_never_taken_away_is_found() -> None:
    assert faults(replace(a_run(), doing=looks({7}, {7}, {7}))) == ["job 7 is left"]
    assert faults(replace(a_run(), doing=looks({7}, {7}))) == []  # who does it may live
