"""What a real Prometheus stores of a fleet whose names are as hostile as they may be."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession

from auditd.audit.authorization import Authorization, Status
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry.metrics import Metrics
from auditd.web.address import Address
from auditd.web.app import make_app
from auditd.web.health import Readiness
from auditd.web.listener import listen

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


@asynccontextmanager
async def scraped_by(binary: Path, directory: Path, target: Address) -> AsyncIterator[str]:
    """A Prometheus that scrapes the target every second. Yields its URL."""
    config = directory / "prometheus.yml"
    jobs = [{"job_name": "auditd", "static_configs": [{"targets": [str(target)]}]}]
    config.write_text(json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    process = await asyncio.create_subprocess_exec(
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        stdout=DEVNULL,
        stderr=PIPE,
    )
    assert process.stderr
    try:
        async for line in process.stderr:
            if found := re.search(rb'msg="Listening on" address=(\S+)', line):
                yield f"http://{found[1].decode()}"
                break
        else:
            pytest.fail("Prometheus did not listen")
    finally:
        process.kill()
        await process.communicate()


async def test_a_real_prometheus_stores_every_name_as_it_is(
    prometheus: Path, tmp_path: Path, target: Address
) -> None:
    async with scraped_by(prometheus, tmp_path, target) as url, ClientSession(url) as session:

        async def ask(query: str) -> list[Any]:
            async with session.get("/api/v1/query", params={"query": query}) as answer:
                if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    return []  # it listens before it can answer
                result: list[Any] = (await answer.json())["data"]["result"]
                return result

        while not (scraped := await ask("up")):  # noqa: ASYNC110 - another process has no Event
            await asyncio.sleep(0.2)
        assert [series["value"][1] for series in scraped] == ["1"]
        stored = await ask("servicestage_git_authorization_created_timestamp_seconds")
        statuses = await ask("count(servicestage_git_authorization_status)")
    expected = {(one.project.name, name) for one in fleet() for name in one.authorizations or ()}
    assert {
        (one["metric"]["project"], one["metric"]["authorization"]) for one in stored
    } == expected
    assert len(stored) == PROJECTS * EACH
    assert {float(one["value"][1]) for one in stored} == {NOON.timestamp()}
    assert statuses[0]["value"][1] == str(PROJECTS * EACH * 4)
