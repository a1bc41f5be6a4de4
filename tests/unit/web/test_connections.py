from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditd.web.connections import Connections


class Line:
    def __init__(self) -> None:
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def test_when_there_is_no_room_the_one_that_waits_longest_goes() -> None:
    connections = Connections(2)
    first, second, third = Line(), Line(), Line()
    assert all(map(connections.enter, (first, second, third)))
    assert (first.is_aborted, second.is_aborted, third.is_aborted) == (True, False, False)
    assert len(connections) == 2


def test_one_at_work_stays_and_waits_anew_afterwards() -> None:
    connections = Connections(2)
    first, second, third, fourth = (Line() for _ in range(4))
    connections.enter(first)
    connections.enter(second)
    connections.work(first)
    connections.enter(third)
    assert second.is_aborted
    assert not first.is_aborted
    connections.rest(first)
    connections.enter(fourth)
    assert third.is_aborted
    assert not first.is_aborted


def test_when_all_are_at_work_a_new_one_is_refused() -> None:
    connections = Connections(1)
    busy, late = Line(), Line()
    connections.enter(busy)
    connections.work(busy)
    assert not connections.enter(late)
    connections.leave(busy)
    assert connections.enter(late)


def test_one_that_left_does_not_come_back() -> None:
    connections = Connections(2)
    line = Line()
    connections.enter(line)
    connections.work(line)
    connections.leave(line)
    connections.rest(line)
    connections.work(line)
    assert len(connections) == 0


@given(st.lists(st.tuples(st.sampled_from(["enter", "work", "rest", "leave"]), st.integers(0, 9))))
def test_there_are_never_more_than_there_may_be(steps: list[tuple[str, int]]) -> None:
    connections = Connections(3)
    lines = [Line() for _ in range(10)]
    for step, which in steps:
        if step != "enter" or not lines[which].is_aborted:
            getattr(connections, step)(lines[which])
        assert len(connections) <= 3
