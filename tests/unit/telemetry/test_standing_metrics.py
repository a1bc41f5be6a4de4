from __future__ import annotations

from typing import Any

import pytest

from auditd.engine.port import EngineStats
from auditd.telemetry.standing_metrics import StandingMetrics


@pytest.mark.parametrize("is_ready", [True, False])
@pytest.mark.parametrize("is_writable", [True, False])
def test_a_scrape_tells_how_the_daemon_stands_now(
    daemon: Any, *, is_ready: bool, is_writable: bool
) -> None:
    answers = {"is_ready": not is_ready, "is_writable": not is_writable}
    daemon.metrics.register(
        StandingMetrics(
            is_ready=lambda: answers["is_ready"],
            is_writable=lambda: answers["is_writable"],
            engine=lambda: EngineStats(0),
            replicas=lambda: 1,
        )
    )
    assert daemon.values("auditd_ready") == {(): not is_ready}
    answers.update(is_ready=is_ready, is_writable=is_writable)
    assert daemon.values("auditd_ready") == {(): is_ready}
    assert daemon.values("auditd_state_writable") == {(): is_writable}


def test_a_scrape_tells_how_the_engine_is_and_how_many_share_the_state(daemon: Any) -> None:
    found = [(EngineStats(running=3, restarts=1, reaped=2), 4), (EngineStats(running=0), 1)]
    daemon.metrics.register(
        StandingMetrics(
            is_ready=lambda: True,
            is_writable=lambda: True,
            engine=lambda: found[-1][0],
            replicas=lambda: found[-1][1],
        )
    )
    names = (
        *("auditd_engine_jobs_running", "auditd_engine_restarts_total"),
        *("auditd_engine_jobs_reaped_total", "auditd_replicas"),
    )
    assert [daemon.values(name) for name in names] == [{(): 0}, {(): 0}, {(): 0}, {(): 1}]
    found.pop()
    assert [daemon.values(name) for name in names] == [{(): 3}, {(): 1}, {(): 2}, {(): 4}]
