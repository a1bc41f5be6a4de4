"""SIGKILL at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from tests.chaos.scene import FLAP_LIMIT

ROUNDS = int(os.environ.get("AUDITD_CHAOS_ROUNDS", "100"))
SEED = int(os.environ.get("AUDITD_CHAOS_SEED") or SystemRandom().randrange(10**9))
_PROJECTS = 3
_HOOKS = 2


def kill(directory: Path, rounds: int, scene: str) -> Any:
    """What became of so many kills. The harness found nothing wrong."""
    harness = [sys.executable, "-m", "tests.chaos.kill_harness", str(directory)]
    run = subprocess.run(
        [*harness, str(rounds), str(SEED), scene], check=False, capture_output=True, text=True
    )
    print(f"AUDITD_CHAOS_ROUNDS={ROUNDS} AUDITD_CHAOS_SEED={SEED}: {run.stdout}")  # noqa: T201 -- the seed of a failure
    assert run.stderr == ""
    assert run.returncode == 0
    figures = json.loads(run.stdout)
    assert figures["kills"] == rounds
    assert figures["kills_after_opening"] > rounds // 4
    return figures


@pytest.mark.timeout(60 + 2 * ROUNDS)
def test_kills_lose_double_and_disorder_nothing(tmp_path: Path) -> None:
    assert kill(tmp_path, ROUNDS, "restless")["deliveries"] > ROUNDS // 2


@pytest.mark.timeout(60 + ROUNDS)
def test_what_flaps_while_it_is_told_by_killed_processes_is_told_once_as_flapping_at_most(
    tmp_path: Path,
) -> None:
    rounds = min(ROUNDS // 2, 100)  # of one database
    figures = kill(tmp_path, rounds, "flapping")
    steady, comings_and_goings = 1, 2 * FLAP_LIMIT + 1
    assert figures["transitions"] == _PROJECTS * (steady + comings_and_goings)
    # A hook that was last told of a firing, and not of an end since, has nothing new to be told.
    assert figures["flapping"] <= _PROJECTS * _HOOKS
    assert figures["flapping_twice"] == 0
