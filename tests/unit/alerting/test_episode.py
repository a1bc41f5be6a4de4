from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.episode import Comparison, Episode, Identity, Turn, compare, episodes
from tests.unit.alerting.examples import AT, MINUTE

IDENTITY = Identity("GitAuthorizationOverdue", "critical", "payments", "gh")
OTHER = IDENTITY._replace(severity="warning")


def turn(minute: int, identity: Identity = IDENTITY, *, is_firing: bool = True) -> Turn:
    return Turn(AT + minute * MINUTE, identity, is_firing, "" if is_firing else "cleared")


def episode(fired: int | None, resolved: int | None, identity: Identity = IDENTITY) -> Episode:
    began, ended = (None if it is None else AT + it * MINUTE for it in (fired, resolved))
    return Episode(identity, began, ended, "" if resolved is None else "cleared")


def test_an_episode_lasts_from_a_firing_to_the_end() -> None:
    turns = [turn(0), turn(1, OTHER), turn(2, is_firing=False), turn(3)]
    assert episodes(turns, AT + 9 * MINUTE) == [
        episode(0, 2),
        episode(1, None, OTHER),
        episode(3, None),
    ]


def test_an_end_without_a_firing_is_of_one_that_fired_earlier() -> None:
    assert episodes([turn(2, is_firing=False)], AT + 9 * MINUTE) == [episode(None, 2)]


def test_nothing_is_known_after_the_end() -> None:
    turns = [turn(0), turn(4, is_firing=False), turn(5)]
    assert episodes(turns, AT + 3 * MINUTE) == [episode(0, None)]


def test_those_that_overlap_are_the_same() -> None:
    would = [episode(0, 5), episode(20, 25), episode(40, None)]
    did = [episode(3, 9), episode(30, 35), episode(39, 50), episode(0, 5, OTHER)]
    assert compare(would, did) == [
        Comparison(would[0], did[0]),
        Comparison(None, did[3]),
        Comparison(would[1], None),
        Comparison(None, did[1]),
        Comparison(would[2], did[2]),
    ]


def test_one_that_fired_earlier_overlaps_with_what_is_there_first() -> None:
    would, did = episode(None, None), episode(3, None)
    assert compare([would], [did]) == [Comparison(would, did)]


sides = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=8)


def in_a_row(lengths: list[tuple[int, int]]) -> list[Episode]:
    """Pause and length of each."""
    found, minute = [], 0
    for pause, length in lengths:
        found.append(episode(minute + pause, minute + pause + length))
        minute += pause + length
    return found


@given(sides, sides)
def test_each_episode_is_compared_once_and_only_with_one_that_overlaps(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    would, did = in_a_row(one), in_a_row(other)
    pairs = compare(would, did)
    assert [pair.would for pair in pairs if pair.would] == would
    assert [pair.did for pair in pairs if pair.did] == did
    for pair in pairs:
        if pair.would and pair.did:
            assert pair.would.span[0] <= pair.did.span[1]
            assert pair.did.span[0] <= pair.would.span[1]


@given(sides)
def test_what_is_the_same_is_found_to_be(lengths: list[tuple[int, int]]) -> None:
    both = in_a_row(lengths)
    shifted = [replace(it, end_reason="accepted") for it in both]
    assert compare(both, shifted) == [*map(Comparison, both, shifted)]


def test_within_a_window_is_what_fires_or_ends_there() -> None:
    since = AT + timedelta(minutes=10)
    assert episode(10, None).is_within(since)
    assert episode(None, 10).is_within(since)
    assert not episode(9, None).is_within(since)
    assert not episode(None, None).is_within(since)
