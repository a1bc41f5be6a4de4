from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from auditd.simulator.authorization import Authorization, AuthorizationSpec
from auditd.simulator.fleet import Fleet
from auditd.simulator.life import Change, Life, live_authorizations
from auditd.simulator.loading import load_scenario

START = datetime(2026, 1, 15, tzinfo=UTC)
BASE = {"main": AuthorizationSpec(name="main").at(START)}


def change(seconds: int, **what: Any) -> Change:
    return Change.model_validate(
        {"at": f"{seconds}s", "project": "p", "authorization": "main"} | what
    )


def live(changes: list[Change], seconds: int) -> dict[str, Authorization]:
    return live_authorizations(BASE, changes, START, timedelta(seconds=seconds))


def test_a_change_is_due_exactly_at_its_time() -> None:
    changes = [change(5, set={"status": "overdue"})]
    assert live(changes, 4)["main"].status == 0
    assert live(changes, 5)["main"].status == 1


def test_the_later_change_wins_wherever_it_is_written() -> None:
    changes = [change(9, set={"status": 2}), change(5, set={"status": 1})]
    assert live(changes, 10)["main"].status == 2


def test_offsets_count_from_the_change() -> None:
    changes = [change(5, set={"updated": "now", "created": "-1s"})]
    at = round((START + timedelta(seconds=5)).timestamp() * 1000)
    main = live(changes, 60)["main"]
    assert (main.update_time, main.create_time) == (at, at - 1000)


def test_only_the_keys_that_are_given_change() -> None:
    main = live([change(0, set={"tag": "intl"})], 0)["main"]
    assert main.tag == "intl"
    assert main.update_time == BASE["main"].update_time


def test_null_can_be_set() -> None:
    main = live([change(0, set={"updated": None, "status": None})], 0)["main"]
    assert (main.update_time, main.status) == (None, None)


def test_authorizations_appear_and_vanish() -> None:
    changes = [
        change(1, authorization="trial", appear={"name": "trial"}),
        change(2, authorization="trial", vanish=True),
    ]
    seen = [list(live(changes, seconds)) for seconds in range(3)]
    assert seen == [["main"], ["main", "trial"], ["main"]]


def test_what_is_not_there_neither_changes_nor_vanishes() -> None:
    changes = [
        change(0, authorization="gone", set={"status": 1}),
        change(0, authorization="gone", vanish=True),
    ]
    assert live(changes, 1) == BASE


@pytest.mark.parametrize("what", [{}, {"set": {}, "vanish": True}, {"appear": {"name": "other"}}])
def test_a_change_does_exactly_one_thing_to_the_one_it_names(what: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        change(1, **what)


@pytest.mark.parametrize("period", ["5s", "0s"])
def test_all_changes_lie_within_the_period(period: str) -> None:
    changes = [{"at": "5s", "project": "p", "authorization": "a", "vanish": True}]
    with pytest.raises(ValidationError, match="period"):
        Life.model_validate({"period": period, "changes": changes})


def test_life_begins_anew_with_each_period() -> None:
    life = Life.model_validate({"period": "30s"})
    now = START + timedelta(seconds=75)
    assert life.begin(START, now) == START + timedelta(seconds=60)
    assert Life().begin(START, now) == START


@pytest.fixture
def demo_at(clock: Any) -> Callable[[int], dict[str, Any]]:
    """Project/authorization -> status of the demo, so many seconds after the start."""
    scenario = load_scenario()
    start = clock.now()
    fleet = Fleet(scenario, start=start, now=clock.now)

    def statuses(seconds: int) -> dict[str, Any]:
        clock.instant = start + timedelta(seconds=seconds)
        return {
            f"{project.name}/{name}": authorization.status
            for project in scenario.projects
            for name, authorization in fleet.authorizations(project.id).items()
        }

    return statuses


@pytest.mark.parametrize("round_", [0, 1, 7])
def test_half_a_minute_of_the_demo_shows_every_kind_of_change(
    demo_at: Callable[[int], dict[str, Any]], round_: int
) -> None:
    begin = round_ * 30
    main, lapsed = "cn-north-4_web/gh-main", "cn-east-3_reports/reports-github"
    trial = "cn-east-3_data/data-trial"
    assert [demo_at(begin + t)[main] for t in (0, 5, 11, 12, 29)] == [0, 1, 1, 0, 0]
    assert [demo_at(begin + t)[lapsed] for t in (7, 8, 17, 18)] == [0, 2, 2, 0]
    assert [trial in demo_at(begin + t) for t in (14, 15, 19, 20)] == [False, True, True, False]
