from __future__ import annotations

import gc
import weakref

from auditd.daemon.garbage import keep_residents, rare_collections


class Node:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_thresholds_are_raised_inside_and_as_before_afterwards() -> None:
    before = gc.get_threshold()
    with rare_collections():
        at_first = gc.get_threshold()
        assert at_first > before
        assert gc.get_freeze_count() > 0
        keep_residents()
        assert before < gc.get_threshold() < at_first
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_what_lives_is_not_looked_at_again_and_what_comes_later_is() -> None:
    with rare_collections():
        resident = Node()
        keep_residents()
        later = Node()
        watched, passing = weakref.ref(resident), weakref.ref(later)
        del resident, later
        gc.collect()
        assert watched() is not None
        assert passing() is None
