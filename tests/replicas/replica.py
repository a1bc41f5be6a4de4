"""One daemon of several as a process that can be killed, halted, and given another network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.replicas.record import Trouble

COMMAND = str(Path(sys.executable).with_name("servicestage-auditd"))
DEADLINE_SECONDS = 60.0


def wait_until(look: Callable[[], object], what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Return once `look` finds something; fail after so long."""
    until = time.monotonic() + seconds
    while not look():
        if time.monotonic() > until:
            msg = f"{what}: not within {seconds} s"
            raise AssertionError(msg)
        time.sleep(0.05)


@dataclass(slots=True)
class Replica:
    """A daemon with this configuration. Its log is kept over all its lives."""

    log: Path
    config: Path
    prefix: Sequence[str] = ()
    """The command in which it runs, for example in another network."""
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _began_at_byte: int = 0

    def start(self) -> None:
        """Begin a life."""
        self._began_at_byte = self.log.stat().st_size if self.log.exists() else 0
        arguments = [f"--config.file={self.config}", "--web.listen-address=127.0.0.1:0"]
        arguments.append("--log.level=debug")  # which tells of each poll
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.prefix, COMMAND, "run", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )

    def wait_until_ready(self) -> None:
        """Return once it knows all projects; fail if it ends."""
        wait_until(lambda: self.told("daemon.ready") or self.ended, f"{self.log.name} is ready")
        assert not self.ended, self.log.read_text()[self._began_at_byte :]

    def wait_until_it_polls(self, seconds: float) -> None:
        """Return once it has polled something from now on; fail if it does not, or ends."""
        done = len(self.told("poll.finished"))
        what = f"{self.log.name} polls"
        wait_until(lambda: len(self.told("poll.finished")) > done or self.ended, what, seconds)
        assert not self.ended, self.log.read_text()[self._began_at_byte :]

    @property
    def ended(self) -> bool:
        """Whether its process is over, or was never there."""
        return self._process is None or self._process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """None while it lives."""
        return self._process.poll() if self._process else None

    def send(self, number: signal.Signals) -> None:
        """A signal to it."""
        assert self._process
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)
        self._await()

    def stop(self) -> None:
        """End it as systemd does; fail if it does not like that."""
        if not self.ended:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            assert self._await() == 0, self.log.read_text()[-2000:]

    def told(self, event: str) -> list[dict[str, Any]]:
        """The records of this event in this life."""
        return [record for record in self._records(self._began_at_byte) if record["event"] == event]

    def starts(self) -> Iterator[Trouble]:
        """When it was there and not yet ready, in each of its lives in which it became that."""
        began_at = 0.0
        for record in self._records(0):
            at = datetime.fromisoformat(record["timestamp"]).timestamp()
            if record["event"] == "daemon.started":
                began_at = at
            elif record["event"] == "daemon.ready":
                yield Trouble(began_at, at, is_total=False)

    def _records(self, since_byte: int) -> Iterator[dict[str, Any]]:
        with self.log.open("rb") as log:
            log.seek(since_byte)
            for line in log:
                if line.startswith(b"{") and line.endswith(b"\n"):
                    yield json.loads(line)

    def _await(self) -> int:
        assert self._process
        return self._process.wait(timeout=DEADLINE_SECONDS)
