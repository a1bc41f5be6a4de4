from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KILLS = 200


@pytest.mark.timeout(90)
def test_two_hundred_kills_lose_nothing_and_leave_nothing_by_half(tmp_path: Path) -> None:
    harness = [sys.executable, "-m", "tests.unit.store.kill_harness", str(tmp_path), str(KILLS)]
    run = subprocess.run([*harness, "7"], check=False, capture_output=True, text=True)
    assert run.stderr == ""
    assert run.returncode == 0
    assert int(run.stdout) > KILLS // 10  # steps: victims got to write, on a busy machine too
