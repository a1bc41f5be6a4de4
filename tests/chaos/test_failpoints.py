"""Something goes wrong at every point at which something can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from random import SystemRandom
from typing import Any

import pytest

from tests.chaos.trap import Mode, points

SEED = int(os.environ.get("AUDITD_CHAOS_SEED") or SystemRandom().randrange(10**9))
_DIES = {Mode.KILL, Mode.HANG}

pytestmark = pytest.mark.timeout(240)  # whichever test comes first waits for all children


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Any]:
    directory = tmp_path_factory.mktemp("failpoints")
    harness = [sys.executable, "-m", "tests.chaos.failpoint_harness", str(directory), str(SEED)]
    run = subprocess.run(harness, check=False, capture_output=True, text=True)
    print(f"AUDITD_CHAOS_SEED={SEED}")  # noqa: T201 -- the seed of a failure
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_whatever_goes_wrong_anywhere_nothing_is_lost_doubled_or_disordered(
    outcomes: Sequence[Any],
) -> None:
    assert [it for it in outcomes if it["faults"] or it["exit_codes"][1]] == []


def test_each_way_to_go_wrong_is_tried_at_each_point(outcomes: Sequence[Any]) -> None:
    tried = {(it["point"], it["mode"]) for it in outcomes if it["is_reached"]}
    assert tried == {(str(point), mode) for point in points() for mode in point.modes}
    assert all(it["is_reached"] for it in outcomes)
    assert len(points()) >= 20


def test_a_process_dies_only_of_what_kills_it(outcomes: Sequence[Any]) -> None:
    for it in outcomes:
        code = -signal.SIGKILL if it["mode"] in _DIES else 0
        assert it["exit_codes"][0] == code, it


def test_a_process_that_is_told_to_stop_leaves_nothing_to_be_repeated(
    outcomes: Sequence[Any],
) -> None:
    assert [it for it in outcomes if it["mode"] == Mode.CANCEL and it["repeats"]] == []
