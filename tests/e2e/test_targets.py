"""A real Prometheus that takes the projects from a daemon and polls each by scraping it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.watching import daemon_of, project
from tests.prometheus import Server, prometheus_of

pytestmark = pytest.mark.timeout(60)

FLEET = [
    project(0, {"name": "gh", "updated": "-1d"}),
    project(1, {"name": "gh", "updated": "-2d", "status": "overdue"}),
    project(2, {"name": "gh", "updated": "-2d"}),
]
BLIND = [{"project": FLEET[2]["name"], "effect": {"type": "status", "status": 500}}]
HOOK = {"name": "ops", "type": "exec", "command": ["/bin/true"]}


def discovering(daemon: str) -> dict[str, Any]:
    """A configuration that names the daemon, and no project."""
    job = {
        "job_name": "projects",
        "http_sd_configs": [{"url": f"http://{daemon}/api/v1/targets", "refresh_interval": "1s"}],
        "relabel_configs": [
            {"source_labels": ["__meta_auditd_project"], "target_label": "instance"},
            {"source_labels": ["__meta_auditd_region"], "target_label": "region"},
        ],
    }
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}


async def test_every_project_is_found_and_polled_by_a_scrape_of_its_own(
    prometheus: Path, tmp_path: Path
) -> None:
    async with (
        daemon_of(tmp_path, FLEET, [HOOK], BLIND) as daemon,
        prometheus_of(prometheus, tmp_path, discovering(daemon)) as server,
        asyncio.timeout(40),
    ):
        while await _by_project(server, "up") != {"p0": "1", "p1": "1", "p2": "1"}:
            await asyncio.sleep(0.2)
        while await _by_project(server, "probe_success") != {"p0": "1", "p1": "1", "p2": "0"}:
            await asyncio.sleep(0.2)
        overdue = await server.query(
            'servicestage_git_authorization_status{status="overdue",region="cn-north-4"}'
        )
    # Each target shows its own project and no other.
    assert {
        (one["metric"]["instance"], one["metric"]["project"], one["value"][1]) for one in overdue
    } == {("p0", "p0", "0"), ("p1", "p1", "1")}


async def _by_project(server: Server, name: str) -> dict[str, str]:
    """Target -> its value, of a metric that each target has once."""
    return {one["metric"]["instance"]: one["value"][1] for one in await server.query(name)}
