from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.packaging.conftest import ROOT

FINE = {"name": "click", "version": "8.5.1", "vulns": []}
BAD = {"name": "rich", "version": "15.0.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["15.1"]}]}
HOPELESS = {"name": "yarl", "version": "1.0", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}
UNKNOWN = {"name": "six", "skip_reason": "Dependency not found on PyPI"}


def audit(*dependencies: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "deploy" / "wheel" / "audit", "-"],
        input=json.dumps({"dependencies": dependencies, "fixes": []}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_was_looked_up_and_is_fine_passes() -> None:
    assert audit(FINE).returncode == 0


def test_a_vulnerable_dependency_fails_with_its_remedy() -> None:
    done = audit(FINE, BAD, HOPELESS, UNKNOWN)
    assert done.returncode == 1
    assert "rich 15.0.0: PYSEC-1, fixed in 15.1\n" in done.stdout
    assert "yarl 1.0: PYSEC-2, fixed in no release yet\n" in done.stdout


@pytest.mark.parametrize("dependencies", [(), (UNKNOWN,), (FINE, UNKNOWN)])
def test_what_nobody_could_look_up_does_not_pass(dependencies: tuple[Any, ...]) -> None:
    done = audit(*dependencies)
    assert done.returncode == 3
    assert "cannot be reached" in done.stderr


def test_no_report_does_not_pass() -> None:
    done = subprocess.run(
        [ROOT / "deploy" / "wheel" / "audit", "-"],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
