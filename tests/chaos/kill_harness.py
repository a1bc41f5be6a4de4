"""Kills a process that tells of alerts, many times, and looks at who was told what.

`python -m tests.chaos.kill_harness DIRECTORY ROUNDS SEED` imports everything once and forks a
child for each round. The child goes on from what the one before it left, and is killed with
SIGKILL after 20 to 400 ms. After each 100 rounds a last child tells what is owed, and then all
of it is compared. Prints figures as JSON; says on standard error what is wrong.
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
from tests.chaos.pipeline import Pipeline, Surroundings, join
from tests.chaos.receiver import receiving
from tests.chaos.scene import calm_cloud, restless_cloud, terms
from tests.chaos.verdict import faults
from tests.unit.hooks.fakes import Text, surroundings_of

HOOKS = ("web", "exec")
ROUNDS_OF_A_RUN = 100
_TERMS = terms(
    HOOKS, group_wait=timedelta(milliseconds=2), group_interval=timedelta(milliseconds=5)
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Run:
    """Rounds on one database."""

    directory: Path
    port: int
    random: Random

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
                _TERMS,
                Surroundings(
                    source=calm_cloud() if is_last else restless_cloud(random.random()),
                    hooks=self._hooks(http),
                    now=_now,
                    monotonic=time.monotonic,
                    new_id=lambda: f"msg_{number}_{next(ids)}",
                    random=lambda: random.random() / 50,
                ),
            )
            self.chronicle.opened(pipeline.deliverer.pending)
            telling = asyncio.create_task(pipeline.run())
            await (_calm_down(pipeline) if is_last else _be_restless(pipeline, random))
            telling.cancel()
            await asyncio.wait({telling})

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


async def _be_restless(pipeline: Pipeline, random: Random) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(pipeline.keep_polling(lambda: random.uniform(0, 0.01)))
        while True:
            await asyncio.sleep(random.uniform(0, 0.2))
            pipeline.replace(random.choice(_TERMS.projects))


async def _calm_down(pipeline: Pipeline) -> None:
    await pipeline.poll()
    await pipeline.settle()


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


def main(directory: Path, rounds: int, seed: int) -> int:
    random, figures, wrong = Random(seed), Counter[str](), list[str]()
    with receiving(seed, lifetime_seconds=rounds + 300) as port:
        for first in range(0, rounds, ROUNDS_OF_A_RUN):
            run = Run(directory / str(first), port, random)
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
            )
    sys.stderr.writelines(f"{fault}\n" for fault in wrong)
    sys.stdout.write(json.dumps(figures))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
