"""A cloud that answers 503 for two hours while much fires, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.notification import NotificationReason, NotifiedStatus
from auditd.audit.authorization import Listing, Status
from auditd.audit.blind import BLIND_ALERT
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.store.trail import TrailKind
from tests.chaos.chronicle import Chronicle, read
from tests.chaos.evidence import gather
from tests.chaos.pipeline import Surroundings, join
from tests.chaos.recorder import Recorder
from tests.chaos.scene import terms
from tests.chaos.verdict import faults
from tests.chaos.virtual import START, VirtualClock, open_inline_store
from tests.unit.polling.fakes import FakeCloud, make_authorization

pytestmark = pytest.mark.looptime

_MINUTE = 60.0
_FAILS_FROM, _FAILS_UNTIL, _END = 10.5 * _MINUTE, 130.5 * _MINUTE, 150 * _MINUTE
_FIRING = Listing(tuple(make_authorization(f"gh-{n}", Status.OVERDUE) for n in range(40)))
_TERMS = terms(
    ["ops"],
    projects=1,
    group_wait=timedelta(seconds=10),
    group_interval=timedelta(minutes=5),
    blind_after=3,
)


async def _answer(_: Project) -> Listing:
    if _FAILS_FROM <= asyncio.get_running_loop().time() < _FAILS_UNTIL:
        raise PollError(FailureReason.SERVER, "the service answered 503")
    return _FIRING


def _seen(alerts: Mapping[str, Alert]) -> Mapping[str, Alert]:
    """What fires, but for when it was last seen."""
    firing = (alert for alert in alerts.values() if alert.state is AlertState.FIRING)
    return {alert.fingerprint: replace(alert, last_seen_at=START) for alert in firing}


async def test_two_hours_of_503_resolve_nothing_and_tell_once_that_nothing_is_seen(
    tmp_path: Path,
) -> None:
    path, chronicle = tmp_path / "state.db", Chronicle(tmp_path / "chronicle")
    ids, now = count(1), VirtualClock()
    loop = asyncio.get_running_loop()
    around = Surroundings(
        source=FakeCloud(_answer),
        hooks=[Recorder("ops", chronicle, lambda: None)],
        now=now,
        monotonic=loop.time,
        new_id=lambda: f"msg_{next(ids)}",
        random=lambda: 0.5,
    )
    with open_inline_store(path, now) as store:
        pipeline = await join(store, _TERMS, around)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(pipeline.run()),
                group.create_task(pipeline.keep_polling(lambda: _MINUTE)),
            ]
            await asyncio.sleep(_FAILS_FROM)
            before = _seen(pipeline.board.alerts)
            await asyncio.sleep(_END - loop.time())
            after = _seen(pipeline.board.alerts)
            for task in tasks:
                task.cancel()
    evidence = gather(path, read(chronicle))

    assert faults(evidence, ["ops"]) == []
    assert len(before) == 40
    assert after == before
    assert [(it.kind, it.detail["alertname"]) for it in evidence.transitions[40:]] == [
        (TrailKind.ALERT_FIRED, BLIND_ALERT),
        (TrailKind.ALERT_RESOLVED, BLIND_ALERT),
    ]
    told = [delivery.notification for delivery in evidence.deliveries]
    assert [(it.reason, it.alerts[0].status, len(it.alerts)) for it in told] == [
        (NotificationReason.NEW, NotifiedStatus.FIRING, 40),
        (NotificationReason.NEW, NotifiedStatus.FIRING, 1),
        (NotificationReason.RESOLVED, NotifiedStatus.RESOLVED, 41),
    ]
