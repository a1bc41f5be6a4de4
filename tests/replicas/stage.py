"""Daemons on one database, the outside, and what happens to them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from auditd.store.reader import open_reader
from auditd.store.revisions import HALT_SECONDS
from tests.e2e.scenarios import make_configuration
from tests.replicas.claim_watch import note_claims, noted_claims
from tests.replicas.jobs import abandoned, job_seconds
from tests.replicas.judge import Run, episodes, faults, longest_gap, lost, repeats
from tests.replicas.queue_watch import QueueWatch
from tests.replicas.record import Trouble, messages, requests
from tests.replicas.replica import Replica, wait_until

REPLICAS = 2
"""How many daemons share the database when nothing else is said."""
INTERVAL_SECONDS = 2.0
GROUP_WAIT_SECONDS = 0.0
PROJECTS = 10
HOOKS = ("ops", "pager")
SETTLING_SECONDS = 45.0
_ALL = 10**9


@dataclass(slots=True)
class Stage:
    """A run under way. `url` is that of the database, `cloud` and `receiver` of the outside."""

    directory: Path
    url: str
    cloud: str
    receiver: str
    outside: subprocess.Popen[bytes]
    queue: QueueWatch
    replicas: list[Replica] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    began_at: float = 0.0

    def add(
        self,
        *,
        host: str = "127.0.0.1",
        url: str | None = None,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Replica:
        """Start one more; it sees the outside at `host` and the database at `url`."""
        number = len(self.replicas)
        config = self.directory / f"replica-{number}.yaml"
        config.touch(mode=0o600)
        config.write_text(yaml.safe_dump(self._configuration(host, url or self.url)))
        replica = Replica(
            self.directory / f"replica-{number}.log", config, prefix, environment or {}
        )
        replica.start()
        self.replicas.append(replica)
        return replica

    def begin(self, replicas: int) -> None:
        """Start so many, and return once all know the fleet."""
        for _ in range(replicas):
            self.add()
        for replica in self.replicas:
            replica.wait_until_ready()
        note_claims(self.url)
        self.began_at = time.time()

    @contextmanager
    def trouble(
        self, *, is_total: bool, recovery_seconds: float = 0.0, is_halt: bool = False
    ) -> Iterator[None]:
        """Note that something was away until the block ends, and so long after it.

        What halts in a transaction keeps all others from writing, until the server ends it.
        """
        began_at = time.time()
        yield
        if is_halt and not is_total:
            self.troubles.append(Trouble(began_at, began_at + HALT_SECONDS, is_total=True))
        self.troubles.append(Trouble(began_at, time.time() + recovery_seconds, is_total))

    def watch(self, seconds: float) -> None:
        """Let it be."""
        time.sleep(seconds)

    def conclude(self) -> Run:
        """Let the cloud be calm and all be told, and return what is known of the run."""
        ended_at = time.time()
        assert self.outside.stdin
        self.outside.stdin.close()
        with suppress(AssertionError):  # the judge says what is missing
            wait_until(lambda: self._is_told(ended_at), "all is told", SETTLING_SECONDS)
        for replica in self.replicas:
            replica.stop()
        return self.look(ended_at)

    def look(self, ended_at: float) -> Run:
        """What is known of the run by now."""
        with open_reader(self.url) as reader:
            trail, verdict = reader.trail(limit=_ALL)[::-1], reader.verify()
            owed = len(reader.state().pending)
        return Run(
            interval_seconds=INTERVAL_SECONDS,
            wait_seconds=GROUP_WAIT_SECONDS,
            projects=frozenset(f"p{number}" for number in range(PROJECTS)),
            hooks=frozenset(HOOKS),
            began_at=self.began_at,
            ended_at=ended_at,
            claims=noted_claims(self.url),
            requests=requests(self.directory / "requests"),
            messages=messages(self.directory / "messages"),
            troubles=self.troubles,
            starts=[start for replica in self.replicas for start in replica.starts()],
            doing=self.queue.looks,
            trail=trail,
            verdict=verdict,
            owed=owed,
        )

    def _is_told(self, ended_at: float) -> bool:
        """Whether each project was polled since it is calm, and nothing is left to tell or reap."""
        run = self.look(ended_at)
        since = ended_at + INTERVAL_SECONDS
        polled = {it.project for it in run.requests if it.at > since}
        is_told = polled == run.projects and not run.owed and not any(lost(run))
        seconds = job_seconds(run.doing, run.troubles)
        return is_told and not any(seconds[job] for job in run.doing[-1].jobs)

    def _configuration(self, host: str, url: str) -> dict[str, Any]:
        cloud, receiver = (it.replace("HOST", host) for it in (self.cloud, self.receiver))
        made = make_configuration(
            cloud, PROJECTS, poll_interval=f"{INTERVAL_SECONDS:.0f}s", poll_timeout="2s"
        )
        hooks = [{"name": name, "type": "webhook", "url": f"{receiver}/{name}"} for name in HOOKS]
        route = {
            "hook": HOOKS[0],
            "group_by": ["..."],  # an event is in one message of each hook
            "group_wait": f"{GROUP_WAIT_SECONDS:.0f}s",
            "group_interval": "1s",
            "repeat_interval": "24h",
            "routes": [{"hook": name, "continue": True} for name in HOOKS],
        }
        return {
            **made,
            "alerting": {"route": route, "hooks": hooks},
            "storage": {"url": url},
        }


@contextmanager
def on_stage(directory: Path, url: str) -> Iterator[Stage]:
    """A stage without daemons."""
    command = [sys.executable, "-m", "tests.replicas.outside", str(directory), str(PROJECTS)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as outside:
        assert outside.stdout
        cloud, receiver = (f"http://HOST:{int(port)}" for port in outside.stdout.readline().split())
        queue = QueueWatch(url)
        stage = Stage(directory, url, cloud, receiver, outside, queue)
        try:
            yield stage
        finally:
            for replica in stage.replicas:
                if not replica.ended:
                    replica.kill()
            outside.kill()
            queue.close()


def assert_sound(run: Run) -> None:
    """Nothing is wrong, and it was worth looking."""
    told = frozenset(message.hook for message in run.messages)
    assert told == run.hooks
    assert len(run.trail) > 10
    assert not (found := faults(run)), "\n".join(found[:20])
    reaped = abandoned(job_seconds(run.doing, run.troubles))
    print(  # noqa: T201 -- what a long run is for
        f"{run.ended_at - run.began_at:.0f} s, {len(run.troubles)} troubles,"
        f" {len(run.requests)} polls, {len(episodes(run.trail))} alerts, {len(run.messages)}"
        f" messages, {repeats(run)} of them again; longest gap {longest_gap(run):.1f} s;"
        f" {len(reaped)} jobs of dead ones reaped"
    )
