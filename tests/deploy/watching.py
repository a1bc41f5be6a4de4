"""A real daemon with a simulated cloud, for Prometheus to scrape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.program import running
from tests.e2e.scenarios import KEYS, PASSWORD, USER, make_configuration, project_id

REGION = "cn-north-4"


def named_twice(target: str) -> tuple[str, str]:
    """HOST:PORT under two names, like two replicas, each of which shows the whole fleet."""
    return target, target.replace("127.0.0.1", "localhost")


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
