from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from auditd.simulator.faults import FaultRule, Faults
from auditd.simulator.operations import OperationName

LIST = OperationName.LIST_AUTHORIZATIONS
RESET = {"effect": {"type": "reset"}}


def rule(**how: Any) -> FaultRule:
    return FaultRule.model_validate(RESET | how)


def strikes(rule: FaultRule, seconds: list[int]) -> list[bool]:
    faults = Faults([rule], seed=1)
    return [faults.strike(LIST, "p", timedelta(seconds=s)) is not None for s in seconds]


def test_a_bare_rule_strikes_everything_for_ever() -> None:
    assert strikes(rule(), [0, 1, 10**6]) == [True] * 3


def test_the_window_begins_and_ends() -> None:
    assert strikes(rule(when="10s", **{"for": "5s"}), [9, 10, 14, 15]) == [False, True, True, False]


def test_the_window_opens_again() -> None:
    window = rule(when="10s", every="30s", **{"for": "5s"})
    seconds = [0, 9, 10, 14, 15, 39, 40, 44, 45]
    assert strikes(window, seconds) == [False, False, True, True, False, False, True, True, False]


def test_the_first_ones_pass() -> None:
    assert strikes(rule(after=2, count=1), [0, 0, 0, 0]) == [False, False, True, False]


def test_no_more_than_count_are_struck() -> None:
    assert strikes(rule(count=2), [0, 0, 0, 0]) == [True, True, False, False]


def test_dice_fall_the_same_way_for_the_same_seed() -> None:
    half = rule(probability=0.5)
    first = strikes(half, list(range(200)))
    assert first == strikes(half, list(range(200)))
    assert 60 < sum(first) < 140


def test_only_the_project_and_operation_that_are_named() -> None:
    faults = Faults([rule(project="p", operation="list_authorizations")], seed=1)
    now = timedelta()
    assert faults.strike(LIST, "p", now) is not None
    assert faults.strike(LIST, "q", now) is None
    assert faults.strike(OperationName.LIST_NAMESPACES, "p", now) is None


def test_the_first_rule_that_applies_strikes() -> None:
    rules = [rule(project="other"), rule(effect={"type": "endless"}), rule()]
    effect = Faults(rules, seed=1).strike(LIST, "p", timedelta())
    assert effect is not None
    assert effect.type == "endless"


@pytest.mark.parametrize("how", [{"every": "5s"}, {"every": "5s", "for": "5s"}])
def test_a_window_that_opens_again_must_close_before(how: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="shorter"):
        rule(**how)
