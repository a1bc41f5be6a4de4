"""The example configuration, at work in a real Prometheus beside a real daemon."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.watching import daemon_of, project
from tests.prometheus import prometheus_of

pytestmark = pytest.mark.timeout(60)

HOME = Path(__file__).parent.parent.parent / "deploy" / "prometheus"
FLEET = [project(number, {"name": "gh", "updated": "-1d"}) for number in range(2)]
HOOK = {"name": "ops", "type": "exec", "command": ["/bin/true"]}


async def test_it_scrapes_the_daemon_and_probes_each_project(
    prometheus: Path, tmp_path: Path
) -> None:
    async with (
        daemon_of(tmp_path, FLEET, [HOOK]) as address,
        prometheus_of(prometheus, tmp_path, yaml.safe_load(_example(address))) as server,
        asyncio.timeout(30),
    ):
        probed: list[dict[str, Any]] = []
        up: list[dict[str, Any]] = []
        while len(probed) < len(FLEET) or not up:
            await asyncio.sleep(0.2)
            probed = await server.query("probe_success == 1")
            up = await server.query('up{job="servicestage-auditd"}')
        doubled = await server.query('count by (job) ({__name__=~"(auditd|servicestage)_.+"})')
    assert [it["metric"]["instance"] for it in up] == [address]
    assert {(it["metric"]["project"], it["metric"]["huawei_region"]) for it in probed} == {
        ("p0", "cn-north-4"),
        ("p1", "cn-north-4"),
    }
    assert [series["metric"]["job"] for series in doubled] in ([], ["servicestage-auditd"])


def _example(address: str) -> str:
    """With the daemon where it is, and hurried."""
    text = (HOME / "prometheus.yml").read_text()
    for written, meant in {
        "localhost:9877": address,
        "scrape_interval: 30s": "scrape_interval: 1s",
        "evaluation_interval: 30s": "evaluation_interval: 1s",
        "scrape_interval: 2m": "scrape_interval: 1s",
        "scrape_timeout: 30s": "scrape_timeout: 1s",
        "rules/*.yaml": str(HOME / "rules" / "*.yaml"),
    }.items():
        assert written in text
        text = text.replace(written, meant)
    return text
