"""A real Prometheus, and a real daemon with a simulated cloud for it to scrape."""

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
import yaml

from tests.e2e.program import running
from tests.e2e.scenarios import KEYS, PASSWORD, USER, make_configuration, project_id

JOB = "servicestage-auditd"
REGION = "cn-north-4"


def scraping(target: str, rules: Sequence[Path] = ()) -> dict[str, Any]:
    """A configuration: scrape `target` (HOST:PORT) and evaluate the rules every second.

    It is scraped under two names, like two replicas, each of which shows the whole fleet.
    """
    targets = [target, target.replace("127.0.0.1", "localhost")]
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


@asynccontextmanager
async def daemon_of(
    directory: Path,
    projects: Sequence[dict[str, Any]],
    hooks: Sequence[dict[str, Any]],
    faults: Sequence[dict[str, Any]] = (),
) -> AsyncIterator[str]:
    """A daemon that polls these projects of a simulated cloud. Yields its HOST:PORT."""
    scenario = {"credentials": [KEYS, USER], "projects": projects, "faults": list(faults)}
    async with running(
        "simulate", "--listen=127.0.0.1:0", f"--scenario={_written(directory, 'cloud', scenario)}"
    ) as cloud:
        line = await cloud.line("The stand-in cloud is at ")
        url = line.split(" at ")[1].split(";")[0]
        content = _configuration(directory, url, projects, hooks)
        config = _written(directory, "auditd", content)
        async with running(
            "run", f"--config.file={config}", "--web.listen-address=127.0.0.1:0"
        ) as daemon:
            yield (await daemon.url()).removeprefix("http://")


def _configuration(
    directory: Path, cloud: str, projects: Sequence[dict[str, Any]], hooks: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Polled each second with a password, so that there is a token that expires."""
    content = make_configuration(cloud, len(projects), poll_interval="1s", poll_timeout="1s")
    content["credentials"] = [
        {
            "name": "user",
            "type": "iam_password",
            "domain": "acme",
            "user": "auditor",
            "password": PASSWORD,
            "iam_endpoint": cloud,
        }
    ]
    for project in content["projects"]:
        project.update(credential="user", verify=True)
    routes = [{"hook": hook["name"], "continue": True} for hook in hooks]
    route = {
        "hook": hooks[0]["name"],
        "group_by": ["project"],
        "group_wait": "1s",
        "group_interval": "1s",
        "routes": routes,
    }
    content["alerting"] = {"route": route, "hooks": list(hooks)}
    content["storage"] = {"url": f"sqlite:///{directory / 'state.db'}"}
    return content


def _written(directory: Path, name: str, content: Any) -> Path:
    file = directory / f"{name}.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(content))
    return file


def project(number: int, *authorizations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The project of the simulated cloud that the daemon calls p`number`."""
    return {
        "name": f"{REGION}_p{number}",
        "id": project_id(number),
        "authorizations": list(authorizations),
        **more,
    }
