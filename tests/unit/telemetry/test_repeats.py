from __future__ import annotations

from typing import Any

from auditd.telemetry.repeats import Repeats


def test_the_first_of_a_kind_passes_and_the_next_is_held_back(seconds: Any) -> None:
    repeats = Repeats(seconds)
    assert repeats.admit("a") == 0
    assert repeats.admit("a") is None
    assert repeats.admit("b") == 0


def test_after_exactly_a_minute_one_passes_and_tells_how_many_did_not(seconds: Any) -> None:
    repeats = Repeats(seconds)
    repeats.admit("a")
    seconds.advance(59.9)
    assert repeats.admit("a") is None
    assert repeats.admit("a") is None
    seconds.advance(0.1)
    assert repeats.admit("a") == 2
    assert repeats.admit("a") is None


def test_a_forgotten_kind_counts_as_new(seconds: Any) -> None:
    repeats = Repeats(seconds)
    repeats.admit("a")
    repeats.admit("a")
    repeats.forget("a")
    repeats.forget("never seen")
    assert repeats.admit("a") == 0


def test_only_the_kinds_seen_last_are_remembered(seconds: Any) -> None:
    repeats = Repeats(seconds, capacity=2)
    for kind in ("a", "b", "a", "c"):
        repeats.admit(kind)
    assert repeats.admit("a") is None
    assert repeats.admit("b") == 0
