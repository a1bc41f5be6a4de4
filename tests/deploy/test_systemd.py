"""The unit, by systemd's own judgement. That it runs under systemd is told in test_deb."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.debian import REPOSITORY, demand

_UNIT = REPOSITORY / "deploy/systemd/servicestage-auditd.service"
_INSTALLED = "/usr/bin/servicestage-auditd"
_MOST_EXPOSURE = 15  # tenths, of 100; no more than 20 are promised
pytestmark = pytest.mark.timeout(60)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    tool = shutil.which("systemd-analyze")
    demand(given=tool, otherwise="there is no systemd-analyze; tests/tools/install brings it")
    return subprocess.run(
        [str(tool), *arguments],
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def exposure(unit: Path) -> subprocess.CompletedProcess[str]:
    return analyze("security", "--offline=true", f"--threshold={_MOST_EXPOSURE}", unit)


def test_a_daemon_that_was_taken_over_is_left_with_little() -> None:
    judged = exposure(_UNIT)

    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize("lost", ["SystemCallFilter=", "DynamicUser=", "CapabilityBoundingSet="])
def test_the_judgement_notices_what_is_taken_away(lost: str, tmp_path: Path) -> None:
    lines = _UNIT.read_text().splitlines(keepends=True)
    weaker = tmp_path / _UNIT.name
    weaker.write_text("".join(line for line in lines if not line.startswith(lost)))

    assert exposure(weaker).returncode != 0


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / _UNIT.name
    command = Path(sys.executable).with_name("servicestage-auditd")
    unit.write_text(_UNIT.read_text().replace(_INSTALLED, str(command)))

    verified = analyze("verify", unit)

    assert (verified.returncode, verified.stdout) == (0, "")


def test_a_line_that_is_misspelt_is_told(tmp_path: Path) -> None:
    unit = tmp_path / _UNIT.name
    unit.write_text(_UNIT.read_text().replace("WatchdogSec=", "WatchdogSeconds="))

    assert "WatchdogSeconds" in analyze("verify", unit).stdout
