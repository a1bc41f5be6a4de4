"""Kills a process that writes to a store, many times, and looks at what it left.

`python -m tests.unit.store.kill_harness DIRECTORY KILLS SEED` imports everything once and forks
a victim for each kill. A victim first checks what the one before it left: everything that was
acknowledged, at most one step more, and nothing by half.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import alembic.command  # noqa: F401 -- once for all victims

from auditd.alerting.delivery import DeliveryState
from auditd.store.preparation import OpeningKind
from auditd.store.state import StoredState
from auditd.store.store import Store
from auditd.store.trail import TrailKind
from tests.unit.store.examples import (
    Clock,
    a_delivery,
    a_group,
    a_project,
    a_snapshot,
    an_alert,
    fired,
    opened,
    settled,
)

STEPS = 3
"""In a round: a poll, a flush, a settlement."""
WHILE_IT_OPENS = 0.2
"""The share of victims that are killed before they can write."""


def _round_of(state: StoredState) -> int:
    """The number of the last poll, which is in every part of its transaction."""
    snapshot = state.snapshot_of(a_project())
    if snapshot.authorizations is None:
        assert not state.alerts
        assert not state.groups
        return 0
    number = int(snapshot.authorizations["main"].repo_user)
    (alert,) = state.alerts["payments"]
    (group,) = state.groups.values()
    assert alert.annotations == {"round": str(number)}
    assert int(group.labels["round"]) == number
    return number


async def _step_of(store: Store) -> int:
    """How many steps are stored, in order and each a whole."""
    number = _round_of(await store.load())
    past = await store.history("payments", authorization="main", limit=1000)
    users = [entry.listed.repo_user for entry in past if entry.listed]
    assert users == [str(each) for each in range(number, 0, -1)][: len(users)]
    assert len(users) == min(number, 1000 - (number > 999)), (number, len(users))
    if not number:
        assert await store.trail() == ()
        return 0
    (alert_entry, *_) = await store.trail(kind=TrailKind.ALERT_FIRED, limit=1)
    assert alert_entry.detail["project"] == "payments"
    deliveries = await store.deliveries(limit=2)
    newest = int(deliveries[0].id) if deliveries else 0
    assert newest in {number, number - 1}
    if newest < number:
        assert all(each.state is DeliveryState.DELIVERED for each in deliveries)
        return STEPS * number - 2
    return STEPS * number - (deliveries[0].state is DeliveryState.PENDING)


async def _do(store: Store, step: int) -> None:
    """Step 1 is the first."""
    number = (step + STEPS - 1) // STEPS
    group = replace(a_group("ops:{}", "f"), labels={"round": str(number)})
    delivery = a_delivery(str(number))
    match step % STEPS:
        case 1:
            alert = replace(an_alert(), annotations={"round": str(number)})
            snapshot = a_snapshot(user=str(number))
            await store.record_poll(snapshot, [alert], [fired(alert)], [group])
        case 2:
            await store.record_flush(group, delivery)
        case _:
            await store.settle(settled(delivery, DeliveryState.DELIVERED))


async def _live(directory: Path, ready: int) -> None:
    log = os.open(directory / "acknowledged", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    acknowledged = int(os.pread(log, 32, max(0, os.fstat(log).st_size - 9)) or b"0")
    async with opened(directory / "state.db", Clock()) as store:
        assert store.opening.kind is not OpeningKind.RESTORED
        assert store.opening.kind is not OpeningKind.REBUILT
        step = await _step_of(store)
        assert acknowledged <= step <= acknowledged + 1, (acknowledged, step)
        assert (await store.verify()).ok
        os.write(ready, b".")
        while True:
            os.write(log, b"%8d\n" % step)  # at first what was seen of the one before
            step += 1
            await _do(store, step)


def _victim(directory: Path, ready: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        asyncio.run(_live(directory, ready))
    finally:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)


def main(directory: Path, kills: int, seed: int) -> int:
    source = random.Random(seed)
    for _ in range(kills):
        reads, writes = os.pipe()
        pid = _victim(directory, writes)
        os.close(writes)
        if source.random() < WHILE_IT_OPENS:
            time.sleep(source.uniform(0, 0.05))
        else:
            os.read(reads, 1)
            time.sleep(source.uniform(0, 0.02))
        os.close(reads)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            return 1
    sys.stdout.write((directory / "acknowledged").read_text().split()[-1])
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
