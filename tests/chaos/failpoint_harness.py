"""Lets one thing go wrong at every point of the pipeline, and looks at what comes of it.

`python -m tests.chaos.failpoint_harness DIRECTORY SEED` runs, in virtual time, two children for
each point, mode and hit: one in which that goes wrong, and one that tells what is owed. Prints a
JSON line for each such case.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import alembic.command  # noqa: F401 -- once for all children
import looptime

from auditd.alerting.delivery import DeliveryState
from auditd.alerting.events import SendFailure
from auditd.hooks.port import Hook, RetryLaterError, SwitchedOffError
from auditd.polling.ports import AuthorizationSource
from auditd.store.backup import Backups
from auditd.store.errors import StoreWriteError
from auditd.store.preparation import Preparation
from auditd.store.store import Store
from tests.chaos.child import fork
from tests.chaos.chronicle import Chronicle, read
from tests.chaos.evidence import gather
from tests.chaos.pipeline import Pipeline, Surroundings, join
from tests.chaos.recorder import Recorder
from tests.chaos.scene import calm_cloud, restless_cloud, terms
from tests.chaos.trap import Mode, Point, Trap, TrappedHook, points, trapped
from tests.chaos.verdict import faults
from tests.chaos.virtual import START, VirtualClock, open_inline_store

HOOKS = ("ops", "pager", "gone")
_TERMS = terms(HOOKS, group_wait=timedelta(seconds=1), group_interval=timedelta(seconds=5))
_LIFE_SECONDS = 45.0
_LATER_SECONDS = 10_000.0
"""When the second child begins: after all that the first one planned."""
_REFUSES = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case."""

    point: str
    mode: str
    hit: int
    is_reached: bool
    exit_codes: tuple[int, int]
    repeats: int
    faults: Sequence[str]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that goes wrong, and the directory in which it does; without a point nothing."""

    directory: Path
    seed: int
    point: Point | None = None
    mode: Mode = Mode.KILL
    hit: int = 0

    @property
    def chronicle(self) -> Chronicle:
        return Chronicle(self.directory / "chronicle")

    @property
    def state(self) -> Path:
        return self.directory / "state.db"

    @property
    def hits(self) -> Path:
        return self.directory / "hits"

    async def go_wrong(self) -> None:
        """Live until something goes wrong, or for a while."""
        random = Random(self.seed)
        trap = Trap(self.point, self.mode, self.hit, self.chronicle)
        living = asyncio.current_task()
        assert living
        trap.cancel = living.cancel
        hooks = [TrappedHook(hook, trap, self.chronicle) for hook in self._hooks(random)]
        around = _around(restless_cloud(self.seed, times=3), hooks, VirtualClock(), random)
        with open_inline_store(self.state, around.now) as store:
            try:
                async with asyncio.timeout(_LIFE_SECONDS + self.mode.hangs_seconds):
                    await _live(await join(trapped(store, trap), _TERMS, around))
            except (TimeoutError, StoreWriteError, asyncio.CancelledError):
                living.uncancel()
        self.hits.write_text(json.dumps({str(point): hits for point, hits in trap.hits.items()}))

    async def make_good(self) -> None:
        """The receiver that was gone is there again, and what is owed is told."""
        hooks = [Recorder(name, self.chronicle, lambda: None) for name in HOOKS]
        around = _around(calm_cloud(), hooks, VirtualClock(), Random(self.seed))
        with open_inline_store(self.state, around.now) as store:
            self.chronicle.opened((await store.load()).pending)
            await _replay(store)
            pipeline = await join(store, _TERMS, around)
            telling = asyncio.create_task(pipeline.run())
            await pipeline.poll()
            await pipeline.settle()
            telling.cancel()
            await asyncio.wait({telling})

    def outcome(self) -> Outcome:
        """Run both children, and compare."""
        exit_codes = (_run(self, 0.0), _run(self, _LATER_SECONDS))
        account = read(self.chronicle)
        return Outcome(
            point=str(self.point),
            mode=str(self.mode),
            hit=self.hit,
            is_reached=account.reached == [str(self.point)],
            exit_codes=exit_codes,
            repeats=account.repeats,
            faults=faults(gather(self.state, account), HOOKS),
        )

    def _hooks(self, random: Random) -> Sequence[Hook]:
        def refuse_some() -> None:
            if random.random() < _REFUSES:
                raise RetryLaterError(SendFailure.SERVER, "503")

        def be_gone() -> None:
            msg = "410"
            raise SwitchedOffError(msg)

        judges = (refuse_some, lambda: None, be_gone)
        return [
            Recorder(name, self.chronicle, judge) for name, judge in zip(HOOKS, judges, strict=True)
        ]


def _around(
    source: AuthorizationSource, hooks: Sequence[Hook], now: VirtualClock, random: Random
) -> Surroundings:
    loop, ids = asyncio.get_running_loop(), count(1)
    began_at = round(loop.time())
    return Surroundings(
        source=source,
        hooks=hooks,
        now=now,
        monotonic=loop.time,
        new_id=lambda: f"msg_{began_at}_{next(ids)}",
        random=random.random,
    )


async def _live(pipeline: Pipeline) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(pipeline.run())
        group.create_task(pipeline.keep_polling(_poll_interval_seconds))
        while True:
            await asyncio.sleep(_LIFE_SECONDS / 4)
            pipeline.replace(_TERMS.projects[0])


def _poll_interval_seconds() -> float:
    return 10.0 if asyncio.get_running_loop().time() < _LIFE_SECONDS else 60.0


async def _replay(store: Store) -> None:
    """What a person does after a hook was switched off."""
    for hook in HOOKS:
        await store.switch_on(hook)
    for dead in await store.deliveries(state=DeliveryState.DEAD, limit=1000):
        await store.replay(dead.id)


def _run(case: Case, at_seconds: float) -> int:
    """The exit code of the child that begins then."""
    work = case.make_good() if at_seconds else case.go_wrong()
    pid = fork(work, partial(looptime.new_event_loop, start=at_seconds))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _cases(directory: Path, seed: int) -> Iterator[Case]:
    """For each point and mode at least one case, also for a point that is never reached."""
    blank = directory / "blank.db"
    Preparation(blank, Backups(blank, 1), START).run()
    places = (directory / str(number) for number in count())

    def place() -> Path:
        path = next(places)
        path.mkdir()
        shutil.copy(blank, path / "state.db")
        return path

    census, random = Case(place(), seed), Random(seed)
    if _run(census, 0.0):
        sys.exit(1)
    reached = json.loads(census.hits.read_text())
    for point in points():
        for mode in point.modes:
            for hit in _hits(mode, reached.get(str(point), 1), random):
                yield Case(place(), seed, point, mode, hit)


def _hits(mode: Mode, most: int, random: Random) -> list[int]:
    """Any hit; for a kill also the first two, between which lies a call that was split."""
    chosen = {random.randint(1, most)}
    return sorted(chosen | set(range(1, min(most, 2) + 1)) if mode is Mode.KILL else chosen)


def main(directory: Path, seed: int) -> None:
    for case in _cases(directory, seed):
        sys.stdout.write(json.dumps(asdict(case.outcome())) + "\n")
        shutil.rmtree(case.directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
