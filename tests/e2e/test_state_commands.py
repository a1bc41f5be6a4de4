"""What people do beside a daemon that runs, as they do it: with commands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.program import Program, finished, running
from tests.e2e.scenarios import make_configuration, make_scenario

pytestmark = pytest.mark.timeout(60)


class Site:
    """A running daemon whose hook is a program that takes whatever it is told."""

    def __init__(self, file: Path, daemon: Program, web_url: str) -> None:
        self.daemon = daemon
        self._file = file
        self._web_url = web_url

    async def read(self, *command: str) -> Any:
        """What a command prints as JSON."""
        code, out, err = await finished(*command, f"--config.file={self._file}", "--format=json")
        assert code == 0, err
        return json.loads(out)

    async def run(self, *command: str) -> tuple[int, str, str]:
        return await finished(*command, f"--config.file={self._file}")

    async def change(self, *command: str) -> str:
        """What a command says that has the daemon change something."""
        code, out, err = await self.run(*command, f"--web.url={self._web_url}")
        assert code == 0, err
        return out


@pytest.fixture
def site(simulate: Any, write: Callable[[str, Any], Path], tmp_path: Path) -> Any:
    """Start a cloud and a daemon, and wait until somebody was told of an alert."""

    @asynccontextmanager
    async def start() -> AsyncIterator[Site]:
        scenario = make_scenario()
        scenario["projects"][0]["authorizations"][2]["token_type"] = "personal"
        async with simulate(scenario) as cloud:
            content = make_configuration(cloud.url)
            content["storage"] = {"url": f"sqlite:///{tmp_path / 'state.db'}"}
            content["alerting"] = {
                "route": {"hook": "page", "group_wait": "0s", "group_by": ["alertname"]},
                "hooks": [
                    {"name": "page", "type": "exec", "command": ["/bin/sh", "-c", "cat >/dev/null"]}
                ],
            }
            file = write("auditd.yaml", content)
            arguments = ("run", f"--config.file={file}", "--web.listen-address=127.0.0.1:0")
            async with running(*arguments) as daemon:
                await daemon.event("delivery.sent")
                yield Site(file, daemon, await daemon.url())

    return start


async def test_everything_is_read_beside_a_daemon_that_runs(site: Any) -> None:
    async with site() as place:
        alerts = await place.read("alerts", "list")
        deliveries = await place.read("deliveries", "list", "--state=delivered")
        entries = await place.read("audit", "log", "--since=1h")
        [hook] = await place.read("hooks", "list")
        verified, _, _ = await place.run("audit", "verify")
        _, exported, _ = await place.run("audit", "export")
        tried, said, _ = await place.run("hooks", "test", "page")
    assert {each["labels"]["authorization"] for each in alerts} == {"lapsed", "old"}
    assert deliveries
    assert {"alert.fired", "config.loaded"} <= {entry["kind"] for entry in entries}
    assert (hook["name"], hook["type"]) == ("page", "exec")
    assert verified == 0
    assert len(exported.splitlines()) >= len(entries)
    assert tried == 0
    assert "the program ended with 0" in said


async def test_the_running_daemon_does_what_it_is_asked(site: Any) -> None:
    async with site() as place:
        said = await place.change("silences", "add", "authorization=old", "--comment=moving")
        [silence] = await place.read("silences", "list")
        [told] = [alert for alert in await place.read("alerts", "list") if not alert["suppression"]]
        await place.change("alerts", "ack", told["fingerprint"], "--comment=on it", "--author=ada")
        suppressed = await place.read("alerts", "list")
        await place.change("silences", "expire", silence["id"])
        left = await place.read("silences", "list")
        [entry] = await place.read("audit", "log", "--kind=acknowledgement.set")
    assert said.startswith(silence["id"])
    assert silence["comment"] == "moving"
    assert {alert["suppression"] for alert in suppressed} == {"silenced", "acknowledged"}
    assert left == []
    assert (entry["subject"], entry["detail"]["author"]) == (told["fingerprint"], "ada")


async def test_a_daemon_that_does_not_answer_is_told_from_one_that_does_not_run(site: Any) -> None:
    expire = ("silences", "expire", "x", "--web.url=http://127.0.0.1:9")
    async with site() as place:
        answered = await place.run(*expire)
    stopped = await place.run(*expire)
    assert (answered[0], stopped[0]) == (1, 1)
    assert f"the daemon with pid {place.daemon.process.pid} runs on the state in" in answered[2]
    assert "no daemon runs on the state in" in stopped[2]


async def test_the_address_for_a_new_grant_is_printed_for_oauth_alone(site: Any) -> None:
    async with site() as place:
        alerts = await place.read("alerts", "list")
        told = {each["labels"]["authorization"]: each["fingerprint"] for each in alerts}
        code, url, said = await place.run("alerts", "reauthorize", told["lapsed"])
        again = await place.run("alerts", "reauthorize", told["lapsed"])
        refused = await place.run("alerts", "reauthorize", told["old"])
        unknown = await place.run("alerts", "reauthorize", "nobody")
    assert (code, said) == (0, "")
    assert url.startswith("https://github.com/login/oauth/authorize?")
    assert url != again[1]
    assert refused[0] == 2
    assert "'old' is no OAuth grant, its type is personal" in refused[2]
    assert unknown[0] == 2
    assert "there is no alert 'nobody'; see `alerts list`" in unknown[2]
    lost = await place.run("alerts", "reauthorize", told["lapsed"])
    assert lost[0] == 3
    assert "refused" in lost[2]
