"""The daemon with a window into it: what it has done so far, told whenever it is asked.

    python -m benchmarks.watched FILE calls|nothing run --config.file=...

is `python -m auditd run ...`, and on SIGUSR1 writes to FILE how many tasks there are and, with
`calls`, how often each function of a few was called. To count calls slows it down.
"""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from auditd.cli import main as run_auditd
from auditd.servicestage.json_body import decode
from auditd.servicestage.listed_entry import authorization_of
from benchmarks.daemon_process import Daemon

_COUNTED = {decode.__code__: "bodies decoded", authorization_of.__code__: "entries read"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What it said."""

    tasks: int
    calls: Counter[str]


def look(running: Daemon) -> Sight:
    """Ask a daemon that was started with `command`."""
    file = told_in(running.home)
    file.unlink(missing_ok=True)
    running.process.send_signal(signal.SIGUSR1)
    running.wait_until(file.exists)
    told = json.loads(file.read_text(encoding="utf-8"))
    return Sight(told["tasks"], Counter(told["calls"]))


def watched_command(home: Path, *, is_counting: bool) -> tuple[str, ...]:
    """What starts it, in place of `python -m auditd`."""
    what = "calls" if is_counting else "nothing"
    return (sys.executable, "-m", "benchmarks.watched", str(told_in(home)), what)


def told_in(home: Path) -> Path:
    """The file of a daemon with its state there."""
    return home / "told.json"


def main(file: Path, what: str) -> None:
    """Be the daemon."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (name := _COUNTED.get(frame.f_code)):
            calls[name] += 1

    def tell(*_: Any) -> None:
        text = json.dumps({"tasks": len(asyncio.all_tasks()), "calls": calls})
        unfinished = file.with_suffix(".new")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(file)

    signal.signal(signal.SIGUSR1, tell)
    if what == "calls":
        sys.setprofile(count)
    run_auditd()


if __name__ == "__main__":
    _, _told_in, _what, *sys.argv[1:] = sys.argv
    main(Path(_told_in), _what)
