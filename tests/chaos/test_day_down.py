"""A receiver that is away for a day while the daemon is restarted, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

import pytest

from auditd.alerting.events import DeliveryEvent, DeliverySent, SendFailure
from auditd.audit.authorization import Listing
from auditd.audit.project import Project
from auditd.hooks.port import RetryLaterError
from tests.chaos.chronicle import Chronicle, read
from tests.chaos.evidence import Evidence, gather
from tests.chaos.pipeline import Pipeline, Surroundings, join
from tests.chaos.recorder import Recorder
from tests.chaos.scene import calm, restless_cloud, terms
from tests.chaos.verdict import faults
from tests.chaos.virtual import VirtualClock, open_inline_store
from tests.unit.polling.fakes import FakeCloud

pytestmark = pytest.mark.looptime

HOOKS = ("ops", "pager")
_DAY_SECONDS = 24 * 3600.0
_POLL_SECONDS = 2537.0
_LAST_POLL_SECONDS = _DAY_SECONDS + 77.0
"""Odd, so that no poll comes at the very instant of a flush or a restart."""
_STOPS_SECONDS = (0.25 * _DAY_SECONDS, 0.5 * _DAY_SECONDS, 0.75 * _DAY_SECONDS)
_TERMS = terms(
    HOOKS, projects=5, group_wait=timedelta(seconds=10), group_interval=timedelta(minutes=5)
)


class Day:
    """A restless day with three restarts; `ops` takes nothing before its end if `is_down`."""

    def __init__(self, directory: Path, *, is_down: bool) -> None:
        directory.mkdir()
        self.state = directory / "state.db"
        self.chronicle = Chronicle(directory / "chronicle")
        self.told: list[tuple[int, DeliverySent]] = []
        """With the second of the day."""
        self._is_down = is_down
        self._began_at = asyncio.get_running_loop().time()
        self._restless = restless_cloud(6).answer
        self._random = Random(5)
        self._ids = count(1)

    async def pass_by(self) -> Evidence:
        """Live through it, and on until all is told."""
        now = VirtualClock()
        for stop in (*_STOPS_SECONDS, None):
            with open_inline_store(self.state, now) as store:
                pipeline = await join(store, _TERMS, self._around(now))
                self.chronicle.opened(pipeline.deliverer.pending)
                await self._live(pipeline, stop)
        return gather(self.state, read(self.chronicle))

    async def _live(self, pipeline: Pipeline, stop: float | None) -> None:
        telling = asyncio.create_task(pipeline.run())
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._began_at + (stop or _LAST_POLL_SECONDS)):
                await pipeline.keep_polling(lambda: _POLL_SECONDS)
        if stop is None:
            await pipeline.poll()
            await pipeline.settle()
        telling.cancel()
        await asyncio.wait({telling})

    def _around(self, now: VirtualClock) -> Surroundings:
        return Surroundings(
            source=FakeCloud(self._answer),
            hooks=[
                Recorder("ops", self.chronicle, self._refuse),
                Recorder("pager", self.chronicle, lambda: None),
            ],
            now=now,
            monotonic=asyncio.get_running_loop().time,
            new_id=lambda: f"msg_{next(self._ids)}",
            random=self._random.random,
            emit=self._note,
        )

    async def _answer(self, project: Project) -> Listing:
        return await (self._restless if self._seconds < _DAY_SECONDS else calm)(project)

    def _refuse(self) -> None:
        if self._is_down and self._seconds < _DAY_SECONDS:
            raise RetryLaterError(SendFailure.CONNECT, "nobody is there")

    def _note(self, event: DeliveryEvent) -> None:
        if isinstance(event, DeliverySent):
            self.told.append((int(self._seconds), event))

    @property
    def _seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._began_at

    def told_to(self, hook: str) -> Sequence[tuple[int, str, int]]:
        """When, of which group, and of how many alerts."""
        its = [(at, event) for at, event in self.told if event.hook == hook]
        return sorted((at, event.group_key, event.alerts) for at, event in its)


@pytest.mark.timeout(60)
async def test_a_receiver_that_is_away_for_a_day_is_told_all_and_delays_no_other(
    tmp_path: Path,
) -> None:
    usual = Day(tmp_path / "usual", is_down=False)
    assert faults(await usual.pass_by(), HOOKS) == []
    bad = Day(tmp_path / "bad", is_down=True)
    evidence = await bad.pass_by()

    assert faults(evidence, HOOKS) == []
    assert evidence.account.repeats == 0
    late = [it for it in evidence.deliveries if it.hook == "ops" and it.attempts > 1]
    assert {it.group_key for it in late} == {
        it.group_key for it in evidence.deliveries if it.hook == "ops"
    }
    assert 10 < max(it.attempts for it in late) <= 20

    assert len(usual.told_to("pager")) > 50
    assert bad.told_to("pager") == usual.told_to("pager")
    assert max(it.latency_seconds for _, it in bad.told if it.hook == "pager") < 0.1
