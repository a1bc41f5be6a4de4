"""Has a peer of the daemon read the lists of a fixture, in a process of its own."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import median
from typing import Literal

from benchmarks.fixture import Fixture
from benchmarks.result import SkippedError
from benchmarks.servers import Served

Kind = Literal["loop", "sdk", "threads"]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Medians over the rounds of one peer."""

    cpu_us: float
    """Of processor time for each list."""
    seconds: float
    """That a round took."""


def read_all(
    kind: Kind, fixture: Fixture, served: Served, *, rounds: int, at_once: int = 32
) -> Rounds:
    """Read all lists this many times.

    The loop reads them once more before, which opens its connections; the vendor's client has
    nothing to warm up, because its samples make one for each project.

    Raises:
        SkippedError: the vendor's client is not installed.
    """
    if kind != "loop" and find_spec("huaweicloudsdkservicestage") is None:
        msg = "the vendor's client is not here: pip install huaweicloudsdkservicestage"
        raise SkippedError(msg)
    ids = fixture.home / "ids"
    ids.write_text("\n".join(fixture.ids), encoding="utf-8")
    unmeasured = 1 if kind == "loop" else 0
    numbers = (str(rounds + unmeasured), str(at_once))
    command = (sys.executable, "-m", "benchmarks.polls_peers", kind, served.url, str(ids), *numbers)
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    lines = [json.loads(line) for line in told.stdout.splitlines()][unmeasured:]
    return Rounds(
        median(line["cpu_us"] for line in lines), median(line["seconds"] for line in lines)
    )
