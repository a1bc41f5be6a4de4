"""Daemons whose clocks are half a second apart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.replicas.record import Request, requests
from tests.replicas.replica import wait_until
from tests.replicas.stage import INTERVAL_SECONDS, PROJECTS, Stage, assert_sound

pytestmark = pytest.mark.timeout(600)

SLOTS = 1000 if "AUDITD_REPLICA_ROUNDS" in os.environ else 100
AHEAD = ("+0.25", "-0.25")
_PATIENCE = 5 * SLOTS / PROJECTS * INTERVAL_SECONDS
_UNPACKED = Path(__file__).parents[2] / ".tools" / "debian"


@pytest.fixture
def faketime() -> Path:
    for root in (Path("/"), _UNPACKED):
        if found := [*root.glob("usr/lib/*/faketime/libfaketime.so.1")]:
            return found[0]
    reason = "there is no libfaketime here; tests/tools/install brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def test_each_slot_is_polled_once_whoever_comes_to_it_first(stage: Stage, faketime: Path) -> None:
    for offset in AHEAD:
        environment = {
            "LD_PRELOAD": str(faketime),
            "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Left to itself it shifts waits by that clock, and threads wait 0.25 s for each other.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }
        stage.add(environment=environment)
    stage.begin(0)
    wait_until(lambda: len(_since(stage)) >= SLOTS, "all slots are polled", seconds=_PATIENCE)
    run = stage.conclude()
    polls = [replica.told("poll.finished") for replica in stage.replicas]
    assert all(polls), [len(each) for each in polls]  # each of them did some of the work
    assert_sound(run)


def _since(stage: Stage) -> list[Request]:
    return [it for it in requests(stage.directory / "requests") if it.at > stage.began_at]
