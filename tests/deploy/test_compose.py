"""The compose file, and the very files that it mounts, with the programs that read them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
import yaml

from tests.e2e.program import running

_DIRECTORY = Path(__file__).parents[2] / "deploy/compose"
_SCHEMA = Path(__file__).parent / "data/compose-spec.json"
_COMPOSE: dict[str, Any] = yaml.safe_load((_DIRECTORY / "compose.yaml").read_text())
_SERVICES: dict[str, Any] = _COMPOSE["services"]
_QUICKER = 24
_TIMES = ("at", "period", "when", "for", "every")
_UNITS = {"s": 1000, "m": 60_000}


def mounts() -> Iterator[tuple[str, dict[str, str]]]:
    for name, service in _SERVICES.items():
        for mount in service["volumes"]:
            yield name, mount


def test_it_holds_to_the_specification() -> None:
    schema = json.loads(_SCHEMA.read_text())
    # The schema misspells the address of the draft that it is written in.
    validator = jsonschema.Draft201909Validator(schema)

    assert list(validator.iter_errors(_COMPOSE)) == []
    wrong = {"services": {"auditd": {"imag": "servicestage-auditd"}}}
    assert [error.validator for error in validator.iter_errors(wrong)] == ["additionalProperties"]


@pytest.mark.parametrize("name", _SERVICES)
def test_a_service_has_what_it_needs_and_no_more(name: str) -> None:
    service = _SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"])
    assert "healthcheck" in service or "build" in service  # the image has one of the daemon


def test_what_is_mounted_is_there_and_cannot_be_written() -> None:
    bound = [(name, mount) for name, mount in mounts() if mount["type"] == "bind"]
    kept = {mount["source"] for _, mount in mounts() if mount["type"] == "volume"}

    assert len(bound) == 8
    for name, mount in bound:
        assert (_DIRECTORY / mount["source"]).exists(), (name, mount)
        assert mount["read_only"], (name, mount)
    assert kept == set(_COMPOSE["volumes"])
    assert all((_DIRECTORY / secret["file"]).exists() for secret in _COMPOSE["secrets"].values())


def test_what_waits_for_a_service_waits_for_its_health() -> None:
    awaited = {
        name: condition["condition"]
        for service in _SERVICES.values()
        for name, condition in service.get("depends_on", {}).items()
    }

    assert awaited == dict.fromkeys(("simulator", "alertmanager", "prometheus"), "service_healthy")


def test_promtool_accepts_the_configuration_of_prometheus(promtool: Path, tmp_path: Path) -> None:
    for mount in _SERVICES["prometheus"]["volumes"]:
        if mount["type"] == "bind":
            copy(_DIRECTORY / mount["source"], tmp_path / Path(mount["target"]).name)

    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yaml"],
        check=False,
        text=True,
        capture_output=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"[1-9]\d* rules found", done.stdout)


def test_amtool_accepts_the_configuration_of_alertmanager(promtool: Path) -> None:
    amtool = shutil.which("amtool", path=f"{promtool.parent}:/usr/bin")
    assert amtool, "it comes with Debian's Alertmanager"

    done = subprocess.run(
        [amtool, "check-config", _DIRECTORY / "alertmanager.yaml"],
        check=False,
        text=True,
        capture_output=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_are_where_grafana_is_told_to_look() -> None:
    targets = {mount["target"]: mount["source"] for mount in _SERVICES["grafana"]["volumes"]}
    provider = yaml.safe_load(
        (_DIRECTORY / targets["/etc/grafana/provisioning/dashboards"] / "auditd.yaml").read_text()
    )
    path = provider["providers"][0]["options"]["path"]

    assert list((_DIRECTORY / targets[path]).glob("*.json"))


@pytest.mark.timeout(300)
async def test_it_goes_from_green_to_red_and_back(
    alertmanager: tuple[str, ...], tmp_path: Path
) -> None:
    """With the scenario's times and the daemon's intervals shortened, and nothing else changed."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(yaml.safe_dump(quicken(read("scenario.yaml"))))
    _, listen, _ = _SERVICES["simulator"]["command"]
    assert listen == "--listen=0.0.0.0:9878"
    simulate = ("simulate", "--listen=0.0.0.0:0", f"--scenario={scenario}")
    async with started(alertmanager, tmp_path) as peer, running(*simulate) as cloud:
        line = await cloud.line("The stand-in cloud is at ")
        port = re.search(r":(\d+);", line)
        assert port
        config = configure(tmp_path, f"http://127.0.0.1:{port[1]}", peer)
        run = ("run", f"--config.file={config}", "--web.listen-address=127.0.0.1:0")
        async with running(*run, f"--storage.url=sqlite:///{tmp_path}/state.db") as daemon:
            await daemon.event("daemon.ready")
            overdue, blind = ("GitAuthorizationOverdue", "web-github"), ("ProjectBlind", "")
            lapsed = ("GitAuthorizationUnauthenticated", "payments-gitlab")
            await becomes(peer, {overdue})
            await becomes(peer, {overdue, lapsed})
            await becomes(peer, set())
            await becomes(peer, {blind})
            await becomes(peer, set())


def read(name: str) -> Any:
    return yaml.safe_load((_DIRECTORY / name).read_text())


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)


def quicken(node: Any) -> Any:
    """The same scenario with every time in it shortened."""
    if isinstance(node, list):
        return [quicken(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"{int(value[:-1]) * _UNITS[value[-1]] // _QUICKER}ms"
        if key in _TIMES
        else quicken(value)
        for key, value in node.items()
    }


def configure(directory: Path, cloud: str, peer: str) -> Path:
    """The daemon's own file, with the addresses and paths of this machine."""
    text = (_DIRECTORY / "auditd.yaml").read_text()
    for there, here in {
        "http://simulator:9878": cloud,
        "http://alertmanager:9093": peer,
        "/run/secrets": str(_DIRECTORY / "secrets"),
    }.items():
        assert there in text
        text = text.replace(there, here)
    content = yaml.safe_load(text)
    content["global"] |= {"poll_interval": "1s", "poll_timeout": "1s"}
    content["alerting"]["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    file = directory / "auditd.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@asynccontextmanager
async def started(command: tuple[str, ...], directory: Path) -> AsyncIterator[str]:
    """Alertmanager with the mounted configuration. Yields its URL."""
    process = await asyncio.create_subprocess_exec(
        *command,
        f"--config.file={_DIRECTORY / 'alertmanager.yaml'}",
        f"--storage.path={directory / 'alertmanager'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
        stdout=DEVNULL,
        stderr=PIPE,
    )
    assert process.stderr
    try:
        async for line in process.stderr:
            if found := re.search(rb'"Listening on" address=(\S+)', line):
                yield f"http://{found[1].decode()}"
                break
        else:
            pytest.fail("Alertmanager did not listen")
    finally:
        process.kill()
        await process.communicate()


async def becomes(peer: str, wanted: set[tuple[str, str]]) -> None:
    """Wait until Alertmanager takes exactly these for firing: alertname and authorization."""
    seen: set[tuple[str, str]] = set()
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                async with session.get(f"{peer}/api/v2/alerts?active=true") as answer:
                    alerts = [alert["labels"] for alert in await answer.json()]
                seen = {(one["alertname"], one.get("authorization", "")) for one in alerts}
                if seen == wanted:
                    return
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"{wanted} did not fire alone, but {seen}")
