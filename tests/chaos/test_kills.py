"""SIGKILL at any moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import SystemRandom

import pytest

ROUNDS = int(os.environ.get("AUDITD_CHAOS_ROUNDS", "100"))
SEED = int(os.environ.get("AUDITD_CHAOS_SEED") or SystemRandom().randrange(10**9))


@pytest.mark.timeout(60 + 2 * ROUNDS)
def test_kills_lose_double_and_disorder_nothing(tmp_path: Path) -> None:
    harness = [sys.executable, "-m", "tests.chaos.kill_harness", str(tmp_path)]
    run = subprocess.run(
        [*harness, str(ROUNDS), str(SEED)], check=False, capture_output=True, text=True
    )
    print(f"AUDITD_CHAOS_ROUNDS={ROUNDS} AUDITD_CHAOS_SEED={SEED}: {run.stdout}")  # noqa: T201 -- the seed of a failure
    assert run.stderr == ""
    assert run.returncode == 0
    figures = json.loads(run.stdout)
    assert figures["kills"] == ROUNDS
    assert figures["kills_after_opening"] > ROUNDS // 4
    assert figures["deliveries"] > ROUNDS // 2
