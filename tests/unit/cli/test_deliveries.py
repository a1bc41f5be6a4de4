from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.store.lock import held
from auditd.store.reader import open_reader
from auditd.store.store import Store
from tests.unit.store.examples import START, a_delivery, a_group, settled

SUCCESS = json.dumps({"status": "success", "data": {}}).encode()
NOWHERE = "--web.url=http://127.0.0.1:9"


async def owe(store: Store) -> None:
    """d1 is dead, d2 is pending."""
    await store.record_flush(a_group(), a_delivery("d1"))
    dead = settled(a_delivery("d1"), DeliveryState.DEAD)
    await store.settle(replace(dead, tried=(Attempt(START, AttemptOutcome.FAILED, "503"),)))
    await store.record_flush(a_group("am:{}"), a_delivery("d2", "am:{}", "am"))


@pytest.fixture
def filled(site: Any) -> Any:
    site.fill(owe)
    return site


def states(site: Any) -> dict[str, str]:
    with open_reader(f"sqlite:///{site.state}") as reader:
        return {delivery.id: delivery.state for delivery in reader.deliveries()}


def test_the_newest_come_first(filled: Any) -> None:
    result = filled.run("deliveries", "list", "--format=json")
    assert [delivery["id"] for delivery in json.loads(result.stdout)] == ["d2", "d1"]


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--state=dead", ["d1"]),
        ("--hook=am", ["d2"]),
        ("--before=d2", ["d1"]),
        ("--limit=1", ["d2"]),
        ("--hook=nobody", []),
    ],
)
def test_flags_choose(filled: Any, flag: str, expected: list[str]) -> None:
    result = filled.run("deliveries", "list", flag, "--format=json")
    assert [delivery["id"] for delivery in json.loads(result.stdout)] == expected


def test_the_table_says_why_a_delivery_is_dead(filled: Any) -> None:
    lines = filled.run("deliveries", "list").stdout.splitlines()
    assert lines[0].split() == [
        *("ID", "HOOK", "STATE", "ALERTS", "ATTEMPTS", "CREATED", "NEXT", "SETTLED"),
        *("LAST", "ERROR"),
    ]
    assert lines[2].endswith("connection refused")


def test_deliveries_are_read_while_a_daemon_holds_the_state(filled: Any) -> None:
    with held(filled.state):
        assert filled.run("deliveries", "list").exit_code == 0


def test_one_is_shown_with_its_attempts_and_alerts(filled: Any) -> None:
    shown = json.loads(filled.run("deliveries", "show", "d1").stdout)
    assert shown["state"] == "dead"
    assert shown["tried"] == [{"at": "2026-01-01T12:00:00Z", "outcome": "failed", "detail": "503"}]
    assert shown["notification"]["alerts"][0]["labels"] == {"project": "payments"}


def test_one_that_is_not_there_is_a_usage_error(filled: Any) -> None:
    result = filled.run("deliveries", "show", "d9")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no delivery 'd9'" in result.stderr


def test_without_a_state_there_is_nothing_to_list(site: Any) -> None:
    result = site.run("deliveries", "list")
    assert result.exit_code == 4
    assert "there is no state in" in result.stderr


def test_the_flag_says_where_the_state_is(filled: Any) -> None:
    other = filled.state.with_name("other.db")
    result = filled.run("deliveries", "list", f"--storage.url=sqlite:///{other}")
    assert result.exit_code == 4
    assert str(other) in result.stderr


def test_a_dead_one_is_owed_again_though_no_daemon_runs(filled: Any) -> None:
    result = filled.run("deliveries", "replay", "d1", NOWHERE)
    assert result.exit_code == 0
    assert states(filled) == {"d1": "pending", "d2": "pending"}


def test_the_running_daemon_is_asked_to_replay(filled: Any, server: Any) -> None:
    server.body = SUCCESS
    with held(filled.state):
        result = filled.run("deliveries", "replay", "d1", f"--web.url={server.url}")
    assert result.exit_code == 0
    assert server.asked == [("POST /api/v1/deliveries/d1/replay", {})]
    assert states(filled)["d1"] == "dead"


def test_a_daemon_that_does_not_answer_is_named(filled: Any) -> None:
    with held(filled.state):
        result = filled.run("deliveries", "replay", "d1", NOWHERE)
    assert result.exit_code == 1
    assert "no daemon answers at http://127.0.0.1:9" in result.stderr
    assert f"the daemon with pid {os.getpid()} runs on the state" in result.stderr


@pytest.mark.parametrize("delivery", ["d2", "d9"])
def test_only_dead_ones_are_replayed(filled: Any, delivery: str) -> None:
    result = filled.run("deliveries", "replay", delivery)
    assert result.exit_code == 2
    assert "only dead ones can be replayed" in result.stderr


def test_a_replay_makes_no_state(site: Any) -> None:
    assert site.run("deliveries", "replay", "d1").exit_code == 4
    assert not site.state.exists()


def test_a_replay_repairs_no_state(filled: Any) -> None:
    with filled.state.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"damage" * 600)
    before = filled.state.read_bytes()
    assert filled.run("deliveries", "replay", "d1").exit_code == 4
    assert filled.state.read_bytes() == before
