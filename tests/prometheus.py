"""A real Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

JOB = "servicestage-auditd"


def scraping(*targets: str, rules: Sequence[Path] = ()) -> dict[str, Any]:
    """A configuration: scrape each target (HOST:PORT) and evaluate the rules every second."""
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(file) for file in rules],
        "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": targets}]}],
    }


@asynccontextmanager
async def prometheus_of(
    binary: Path, directory: Path, content: dict[str, Any]
) -> AsyncIterator[Server]:
    """One with this configuration."""
    config = directory / "prometheus.yml"
    config.write_text(json.dumps(content))
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
                url = f"http://{found[1].decode()}"
            if b"Server is ready to receive web requests" in line:
                async with aiohttp.ClientSession(url) as session:
                    yield Server(session)
                break
        else:
            pytest.fail("Prometheus is not ready")
    finally:
        process.kill()
        await process.communicate()


class Server:
    """Its HTTP API."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query; a mistake in it fails the test."""
        data = await self._get("query", query=expression)
        series: list[dict[str, Any]] = data["result"]
        return series

    async def alerts(self) -> list[dict[str, Any]]:
        """Those that are pending or firing."""
        alerts: list[dict[str, Any]] = (await self._get("alerts"))["alerts"]
        return alerts

    async def _get(self, path: str, **parameters: str) -> Any:
        async with self._session.get(f"/api/v1/{path}", params=parameters) as answer:
            body = await answer.json()
        assert body["status"] == "success", (parameters, body.get("error"))
        return body["data"]
