"""Whether a real Prometheus has an answer to every query of every panel."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.watching import daemon_of, named_twice, project
from tests.prometheus import prometheus_of, scraping

pytestmark = pytest.mark.timeout(90)

DASHBOARDS = Path(__file__).parent.parent.parent / "deploy" / "grafana" / "dashboards"
WINDOWS = {"$__rate_interval": "1m", "$__range": "5m"}
HOOKS = [
    {"name": "works", "type": "exec", "command": ["/bin/true"]},
    {"name": "down", "type": "exec", "command": ["/bin/false"]},
]
FLEET = [
    project(
        0,
        {"name": "gh", "updated": "-1d"},
        {"name": "lab", "updated": "-200d", "status": "overdue"},
        {"name": "cup", "updated": "-2d", "status": "unauthenticated", "verdict": "broken"},
    ),
    project(1, {"name": "gh", "updated": "-95d", "status": "odd"}),
    # Seen at first, so that it is known when; what comes of its end is told while Prometheus looks.
    project(2, {"name": "gh", "updated": "-3d"}),
]
PER_REPLICA = {
    f"fleet: {title}"
    for title in (
        "Event loop lag",
        "Memory",
        "CPU",
        "File descriptors",
        "Clock skew",
        "Left out",
        "Replicas",
    )
}
BLIND = {"project": f"{FLEET[2]['name']}", "when": "20s", "for": "1h"}
FAULTS = [{**BLIND, "effect": {"type": "status", "status": 500}}]


async def test_every_query_of_every_panel_has_an_answer_that_tells_nothing_of_two_replicas_twice(
    prometheus: Path, tmp_path: Path
) -> None:
    waiting = dict(_queries())
    assert len(waiting) > 40
    per_replica: set[str] = set()
    async with (
        daemon_of(tmp_path, FLEET, HOOKS, FAULTS) as target,
        prometheus_of(prometheus, tmp_path, scraping(*named_twice(target))) as server,
    ):
        try:
            async with asyncio.timeout(60):
                while waiting:
                    for panel in list(waiting):
                        answer = await server.query(waiting[panel])
                        if any("instance" in series["metric"] for series in answer):
                            per_replica.add(panel.rpartition(" ")[0])
                        if _is_answer(answer):
                            del waiting[panel]
                    await asyncio.sleep(0.5)
        except TimeoutError:
            pytest.fail(f"no answer to {waiting}")
    assert per_replica == PER_REPLICA


def test_neither_nothing_nor_a_quantile_of_nothing_is_an_answer() -> None:
    assert not _is_answer([])
    assert not _is_answer([{"value": [0, "NaN"]}])
    assert _is_answer([{"value": [0, "NaN"]}, {"value": [0, "0"]}])


def _queries() -> Iterator[tuple[str, str]]:
    """Dashboard, panel and query by name -> the query of the project p0, or of all."""
    for file in sorted(DASHBOARDS.glob("*.json")):
        board = json.loads(file.read_text())
        several = {it["name"]: it.get("multi") for it in board["templating"]["list"]}
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for window, duration in WINDOWS.items():
                    query = query.replace(window, duration)
                for name, is_multi in several.items():
                    query = query.replace(f"${name}", ".*" if is_multi else "p0")
                assert not re.search(r"\$", query), query
                yield f"{file.stem}: {panel['title']} {target['refId']}", query


def _is_answer(result: Sequence[Mapping[str, Any]]) -> bool:
    return any(series["value"][1] != "NaN" for series in result)
