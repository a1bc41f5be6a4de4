"""Kills a process that tells of alerts, many times, and looks at who was told what.

`python -m tests.chaos.kill_harness DIRECTORY ROUNDS SEED SCENE` imports everything once and forks
a child for each round, in a scene that is `restless` or `flapping`. The child goes on from what
the one before it left, and is killed with SIGKILL after 20 to 400 ms. After each 100 rounds a last
child tells what is owed, and then all of it is compared. Prints figures as JSON; says on standard
error what is wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count
from pathlib import Path
from random import Random

import alembic.command  # noqa: F401 -- once for all children

from auditd.hooks.http import HttpClient
from auditd.hooks.kinds.exec import ExecHook, ExecOptions
from auditd.hooks.kinds.webhook import WebhookHook, WebhookOptions
from auditd.hooks.port import Hook, Http
from auditd.hooks.process import run_process
from auditd.store.opening import open_store
from auditd.store.preparation import OpeningKind
from tests.chaos.child import fork
from tests.chaos.chronicle import Chronicle, read
from tests.chaos.evidence import Evidence, gather
from tests.chaos.pipeline import Pipeline, Surroundings, Terms, join
from tests.chaos.receiver import receiving
from tests.chaos.scene import FLAP_LIMIT, calm_cloud, flapping_cloud, restless_cloud, terms
from tests.chaos.verdict import faults
from tests.unit.hooks.fakes import Text, surroundings_of
from tests.unit.polling.fakes import FakeCloud

HOOKS = ("web", "exec")
ROUNDS_OF_A_RUN = 100


class Scene(StrEnum):
    """What happens to the fleet meanwhile."""

    RESTLESS = "restless"
    """Everything changes all the time; projects leave, and come again."""
    FLAPPING = "flapping"
    """An authorization of each project comes and goes, more often than is told."""

    @property
    def terms(self) -> Terms:
        return terms(
            HOOKS,
            group_wait=timedelta(milliseconds=2),
            group_interval=timedelta(milliseconds=5),
            flap_window=timedelta(hours=1) if self is Scene.FLAPPING else timedelta(0),
        )

    @property
    def last_polls(self) -> int:
        """How often is polled in the end: what flaps is flapping by then, however slow all was."""
        return 2 * (FLAP_LIMIT + 1) if self is Scene.FLAPPING else 1

    def cloud(self, seed: float, *, is_last: bool) -> FakeCloud:
        """What is listed; calm comes last, but to what flaps."""
        if self is Scene.FLAPPING:
            return flapping_cloud()
        return calm_cloud() if is_last else restless_cloud(seed)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """Rounds on one database."""

    directory: Path
    port: int
    random: Random
    scene: Scene

    @property
    def chronicle(self) -> Chronicle:
        return Chronicle(self.directory / "chronicle")

    @property
    def state(self) -> Path:
        return self.directory / "state.db"

    async def live(self, number: int, *, is_last: bool) -> None:
        """Tell until killed; the last round tells what is owed, and ends."""
        random = Random(self.random.random())
        async with (
            open_store(f"sqlite:///{self.state}", now=_now, retention=timedelta(days=400)) as store,
            HttpClient(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as http,
        ):
            assert store.opening.kind in {OpeningKind.NEW, OpeningKind.OPENED}, store.opening
            ids = count(1)
            pipeline = await join(
                store,
                self.scene.terms,
                Surroundings(
                    source=self.scene.cloud(random.random(), is_last=is_last),
                    hooks=self._hooks(http),
                    now=_now,
                    monotonic=time.monotonic,
                    new_id=lambda: f"msg_{number}_{next(ids)}",
                    random=lambda: random.random() / 50,
                ),
            )
            self.chronicle.opened(pipeline.deliverer.pending)
            telling = asyncio.create_task(pipeline.run())
            await (self._calm_down(pipeline) if is_last else self._be_restless(pipeline, random))
            telling.cancel()
            await asyncio.wait({telling})

    async def _be_restless(self, pipeline: Pipeline, random: Random) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(pipeline.keep_polling(lambda: random.uniform(0, 0.01)))
            while self.scene is Scene.RESTLESS:
                await asyncio.sleep(random.uniform(0, 0.2))
                pipeline.replace(random.choice(self.scene.terms.projects))

    async def _calm_down(self, pipeline: Pipeline) -> None:
        for _ in range(self.scene.last_polls):
            await pipeline.poll()
            await pipeline.settle()

    def _hooks(self, http: Http) -> list[Hook]:
        around = surroundings_of(http, now=_now, run_process=run_process)
        url = Text(f"http://127.0.0.1:{self.port}{self.chronicle.path}")
        secret = Text("whsec_" + "A" * 32)
        writes = ("/usr/bin/tee", "-a", str(self.directory / "exec"))
        return [
            WebhookHook("web", WebhookOptions(url=url, secret=(secret,)), around),
            ExecHook("exec", ExecOptions(command=writes), around),
        ]

    def evidence(self) -> Evidence:
        """What the rounds left."""
        text, start = (self.directory / "exec").read_text(), 0
        while start < len(text):  # the documents follow on each other without a separator
            document, end = json.JSONDecoder().raw_decode(text, start)
            self.chronicle.accepted("exec", document["data"]["id"], text[start:end].encode())
            start = end
        return gather(self.state, read(self.chronicle))


def _rounds(run: Run, rounds: int) -> bool:
    """Whether each child was killed as it should be, and the last one ended by itself."""
    for number in range(rounds):
        pid = fork(run.live(number, is_last=False))
        time.sleep(run.random.uniform(0.02, 0.4))
        os.kill(pid, signal.SIGKILL)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != -signal.SIGKILL:
            return False
    pid = fork(run.live(rounds, is_last=True))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def _told_as_flapping(evidence: Evidence) -> Counter[tuple[str, str]]:
    """By hook and alert how many messages say that it is flapping."""
    return Counter(
        (delivery.hook, alert.fingerprint)
        for delivery in evidence.deliveries
        for alert in delivery.notification.alerts
        if "flapping" in alert.annotations
    )


def main(directory: Path, rounds: int, seed: int, scene: Scene) -> int:
    random, figures, wrong = Random(seed), Counter[str](), list[str]()
    with receiving(seed, lifetime_seconds=rounds + 300) as port:
        for first in range(0, rounds, ROUNDS_OF_A_RUN):
            run = Run(directory / str(first), port, random, scene)
            run.directory.mkdir()
            kills = min(ROUNDS_OF_A_RUN, rounds - first)
            if not _rounds(run, kills):
                return 1
            evidence = run.evidence()
            wrong += faults(evidence, HOOKS)
            figures.update(
                kills=kills,
                kills_after_opening=evidence.account.openings - 1,
                transitions=len(evidence.transitions),
                deliveries=len(evidence.deliveries),
                taken=len(evidence.account.accepted),
                repeats=evidence.account.repeats,
                flapping=_told_as_flapping(evidence).total(),
                flapping_twice=sum(n > 1 for n in _told_as_flapping(evidence).values()),
            )
    sys.stderr.writelines(f"{fault}\n" for fault in wrong)
    sys.stdout.write(json.dumps(figures))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Scene(sys.argv[4])))
