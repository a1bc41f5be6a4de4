"""The benchmarks run, and what they count is right. Nothing is judged by the clock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import counts
from benchmarks.result import Bar, Row, Scale, at_least, at_most, number

_ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """What is counted of a cycle."""
    if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("there is no nginx; as root: apt-get install nginx-light")
    return {row.what: row for row in counts.measure(Scale(is_short=True))}


def test_an_unchanged_cycle_asks_once_a_project_and_reads_and_writes_nothing(
    rows: dict[str, Row],
) -> None:
    verdicts = {what: row.cells()[3] for what, row in rows.items()}
    assert len(verdicts) >= 4
    assert set(verdicts.values()) == {"pass"}, verdicts


def test_one_changed_list_is_the_only_one_that_is_decoded(rows: dict[str, Row]) -> None:
    (decoded,) = (row for what, row in rows.items() if "bodies decoded" in what)
    assert decoded.aside == "1 % changed: 1"  # the counter does count


def test_all_benchmarks_run_and_write_one_table(tmp_path: Path) -> None:
    output = tmp_path / "results.md"
    command = (sys.executable, "-m", "benchmarks", "--short", f"--output={output}")
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    lines = output.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in table} == {6}
    skipped = [line for line in table if "skipped" in line]
    assert not skipped or shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, skipped
    assert len(table) > 30 or skipped


@pytest.mark.parametrize(
    ("bar", "value", "verdict"),
    [
        (at_most(10), 10, "pass"),
        (at_most(10), 12, "**short by 20%**"),
        (at_least(10), 10, "pass"),
        (at_least(10), 5, "**short by 50%**"),
        (at_most(0), 0, "pass"),
        (at_most(0), 1, "**short**"),
    ],
)
def test_a_figure_is_judged_by_its_bar(bar: Bar, value: float, verdict: str) -> None:
    assert bar.verdict(value) == verdict


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_a_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
