"""What a real Prometheus stores of a fleet whose names are as hostile as they may be."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from auditd.audit.authorization import Authorization, Status
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.metrics import Metrics
from auditd.web.address import Address
from auditd.web.app import make_app
from auditd.web.health import Readiness
from auditd.web.listener import listen
from tests.prometheus import prometheus_of, scraping

pytestmark = pytest.mark.timeout(60)

NOON = datetime(2026, 11, 24, 12, 0, 0, 358000, tzinfo=UTC)
ODD = ["plain", 'a "quoted" one', "back\\slash", "ends with \\", "two\nlines", "授权 é 😀", "{}=,#"]
PROJECTS, EACH = 40, 50


def fleet() -> list[ProjectSnapshot]:
    """The name of each project, and of each authorization, is one of `ODD` and a number."""
    return [
        ProjectSnapshot(
            Project(
                name=f"{number} {ODD[number % len(ODD)]}",
                project_id=f"{number:032x}",
                region="cn-north-4",
                credential="prod",
                poll_interval=timedelta(minutes=5),
                poll_timeout=timedelta(seconds=30),
            ),
            attempted_at=NOON,
            succeeded_at=NOON,
            authorizations={
                name: Authorization(
                    name,
                    "github",
                    ODD[place % len(ODD)],
                    "",
                    "oauth",
                    "",
                    Status.NORMAL,
                    "0",
                    NOON,
                    NOON,
                )
                for place in range(EACH)
                for name in (f"{place} {ODD[place % len(ODD)]}",)
            },
        )
        for number in range(PROJECTS)
    ]


@pytest.fixture
async def target() -> AsyncIterator[Address]:
    snapshots = fleet()
    metrics = Metrics(
        fleet=lambda: snapshots,
        checks=dict,
        credentials=lambda: (),
        dropped_log_lines=lambda: 0,
        version="1.2.3",
        logger=structlog.get_logger(),
        max_series=sys.maxsize,
    )
    app = make_app(expose=metrics.expose, readiness=Readiness)
    async with listen(app, [Address("127.0.0.1", 0)]) as (bound,):
        yield bound


async def test_a_real_prometheus_stores_every_name_as_it_is(
    prometheus: Path, tmp_path: Path, target: Address
) -> None:
    async with prometheus_of(prometheus, tmp_path, scraping(str(target))) as server:
        while not (scraped := await server.query("up")):  # noqa: ASYNC110 - another process has no Event
            await asyncio.sleep(0.2)
        assert [series["value"][1] for series in scraped] == ["1"]
        stored = await server.query("servicestage_git_authorization_created_timestamp_seconds")
        statuses = await server.query("count(servicestage_git_authorization_status)")
    expected = {(one.project.name, name) for one in fleet() for name in one.authorizations or ()}
    assert {
        (one["metric"]["project"], one["metric"]["authorization"]) for one in stored
    } == expected
    assert len(stored) == PROJECTS * EACH
    assert {float(one["value"][1]) for one in stored} == {NOON.timestamp()}
    assert statuses[0]["value"][1] == str(PROJECTS * EACH * 4)
